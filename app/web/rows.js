// Rows for the charts and for CSV files, from what the service answers; the same columns as neuromfa/plots.py gives.

import { MODEL_NAMES, checkpointName } from "./words.js";

const AXES = { emergence: "E", alpha0: "α₀", width: "width" };
const QUANTILES = ["q05", "q25", "q50", "q75", "q95"];
const [FEWEST_LAYERS, MOST_LAYERS] = [5, 8];
const NOTHING = { value: null, low: null, high: null };

export function spectrumRows(items) {
  return items.flatMap((item) => {
    const s = item.spectrum;
    const place = new Map(s.alpha_q.map((q, k) => [q, k]));
    const at = (values, k) => values?.[k] ?? null;
    return s.q.map((q, k) => ({
      step: item.step, name: checkpointName(item), q, slope: at(s.alpha, place.get(0)),
      tau: s.tau[k], tau_low: at(s.tau_low, k), tau_high: at(s.tau_high, k),
      alpha: at(s.alpha, place.get(q)), alpha_low: at(s.alpha_low, place.get(q)),
      alpha_high: at(s.alpha_high, place.get(q)), f: at(s.f, place.get(q)),
    }));
  });
}

export function metricRows(items, measure) {
  return items.filter((item) => item.step !== null).flatMap((item) =>
    [["real", item], ...Object.entries(item.nulls ?? {})].map(([model, source]) => {
      const { value, low, high } = source[measure] ?? NOTHING;
      return { step: item.step, model, label: MODEL_NAMES[model] ?? model, value, low, high };
    }));
}

export function dimensionRows(items) {
  return items.flatMap((item, place) => item.dimensions.map(({ row, n, mean, quantiles }) => ({
    step: item.step, name: checkpointName(item), place, row, n, mean,
    ...Object.fromEntries(QUANTILES.map((name, k) => [name, quantiles[k]])),
  })));
}

export function radarRows(items, scores) {
  const axes = new Map(Object.entries(AXES).map(([measure, axis]) => [axis, valuesByStep(items, measure)]));
  for (const [axis, values] of axes) if (!values.size) axes.delete(axis);
  const benchmarks = Map.groupBy(scores.filter(({ step }) => step !== null), ({ task, metric }) => `${task} ${metric}`);
  if (!benchmarks.size) return [];
  for (const [axis, ones] of benchmarks) axes.set(axis, new Map(ones.map(({ step, value }) => [step, value])));
  const tables = [...axes.values()];
  const common = [...tables[0].keys()].filter((step) => tables.every((values) => values.has(step))).sort((a, b) => a - b);
  return common.flatMap((step) => [...axes.keys(), axes.keys().next().value].map((axis, place) => {
    const value = axes.get(axis).get(step);
    return { step, name: `step ${step}`, axis, place, places: axes.size, value, share: shareOf(value, common.map((one) => axes.get(axis).get(one))) };
  }));
}

function valuesByStep(items, measure) {
  const known = items.filter((item) => item.step !== null && item[measure] && item[measure].value !== null);
  return new Map(known.map((item) => [item.step, item[measure].value]));
}

function shareOf(value, values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return high > low ? (value - low) / (high - low) : 1;
}

// Parts of a graph that fit a drawing: a block with the row that follows it; long blocks in pieces, short ones together.
export function windowsOf(layers) {
  const last = layers.length - 1;
  const windows = [];
  let first = 0;
  while (first < last) {
    let end = first + 1;
    const goesOn = () => end - first < FEWEST_LAYERS || layers[end].block === layers[first].block;
    while (end < last && end - first < MOST_LAYERS && goesOn()) end += 1;
    const block = layers[end - 1].block === layers[first].block ? `block ${layers[first].block}, ` : "";
    windows.push({ value: `${first}-${end}`, label: `${block}layers ${first} to ${end}` });
    first = end;
  }
  return windows;
}

export function graphRows({ first_layer: first, neurons, edges }, layers) {
  const size = (layer) => Math.max(1, Object.values(layers[layer].kinds).reduce((sum, n) => sum + n, 0) - 1);
  const places = new Map(neurons.map(({ name, layer, position }) => [name, { x: layer - first, y: 1 - position / size(layer) }]));
  const strongest = Math.max(...edges.map(({ weight }) => Math.abs(weight ?? 0)), 1e-300);
  const shown = [...new Set(neurons.map(({ layer }) => layer))];
  return [
    ...edges.map((edge) => {
      const [from, to] = [places.get(edge.source), places.get(edge.target)];
      const kind = edge.weight === null ? { part: "wiring" } : { part: "edge", sign: edge.weight < 0 ? "negative" : "positive", share: Math.abs(edge.weight) / strongest };
      return { ...kind, ...edge, x: from.x, y: from.y, x2: to.x, y2: to.y };
    }),
    ...neurons.map(({ name, kind, nfd }) => ({ part: "neuron", name, kind, nfd, ...places.get(name) })),
    ...shown.map((layer) => ({ part: "row", x: layer - first, y: 1.04, label: layers[layer].row })),
  ];
}

export function tableRows(items) {
  return items.map((item) => {
    const row = { step: item.step, revision: item.revision };
    for (const measure of ["alpha0", "width", "emergence"]) {
      for (const [model, source] of [["", item], ...Object.entries(item.nulls ?? {})]) {
        const { value, low, high } = source[measure] ?? NOTHING;
        const name = model ? `${measure}_${model}` : measure;
        Object.assign(row, { [name]: value, [`${name}_low`]: low, [`${name}_high`]: high });
      }
    }
    row.emergence_reason = item.emergence_reason;
    row.nodes_kept = item.nodes.kept;
    row.nodes_total = item.nodes.total;
    row.flags = item.flags.join(" ");
    return row;
  });
}

export function csv(rows) {
  const columns = [...new Set(rows.flatMap(Object.keys))];
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns.join(","), ...rows.map((row) => columns.map((name) => cell(row[name])).join(","))].join("\r\n") + "\r\n";
}

export function stepTicks(steps, most = 9) {
  const known = [...new Set(steps.filter((step) => step !== null))].sort((a, b) => a - b);
  if (known.length < 3) return known;
  const [first, last] = [known[0], known.at(-1)];
  const distance = (a, b) => Math.log1p(b) - Math.log1p(a);
  const gap = distance(first, last) / most;
  const ticks = [first];
  for (const step of known.slice(1, -1)) if (distance(ticks.at(-1), step) >= gap && distance(step, last) >= gap) ticks.push(step);
  return [...ticks, last];
}
