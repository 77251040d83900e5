// Rows of exported charts and CSV files, from what the service answers; the same columns as neuromfa/plots.py gives.

import { MODEL_NAMES, checkpointName } from "./words.js";

const QUANTILES = ["q05", "q25", "q50", "q75", "q95"];
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
