// The numbers of one step, with everything that has to stand beside them: interval, nulls, coverage, fit, flags.

import { fact, h } from "./dom.js";
import { MODELS, NULL_MEANING, SHORT_NAMES, checkpointName, fixed, flagMeaning, flagName, percent, reason } from "./words.js";

export function readout(item, items) {
  return [
    h("h2", {}, sentenceCase(checkpointName(item))),
    item.step === null || item.revision === `step${item.step}` ? null : h("p", { class: "where" }, `revision ${item.revision}`),
    h("dl", { class: "figures" },
      figure("α₀ regularity", item.alpha0), figure("Width", item.width), figure("E emergence", item.emergence, item.emergence_reason)),
    h("h3", {}, "E beside its nulls"), nulls(item, items),
    h("h3", {}, "What the numbers rest on"), facts(item),
    h("h3", {}, "Flags"), ...flags(item.flags),
  ].filter((element) => element !== null);
}

const sentenceCase = (text) => text.replace(/^step /, "Step ");

function figure(name, estimate, why = null) {
  if (!estimate || estimate.value === null) return h("div", {}, h("dt", {}, name), h("dd", {}, "—", h("small", {}, reason(why))));
  return h("div", {}, h("dt", {}, name), h("dd", {}, fixed(estimate.value), h("small", {}, interval(estimate))));
}

export function interval(estimate) {
  if (estimate.low === null) return `no interval (${estimate.n} ${estimate.n === 1 ? "sample" : "samples"})`;
  return `${fixed(estimate.low)} … ${fixed(estimate.high)}`;
}

function nulls(item, items) {
  if (!item.nulls) return h("p", { class: "none" }, "Nulls were not measured: E alone cannot tell structure from scale.");
  const all = items.flatMap((one) => MODELS.flatMap((model) => bounds(emergenceOf(one, model)))).filter((value) => value != null);
  const reach = { low: Math.min(0, ...all), high: Math.max(1e-9, ...all) };
  return h("ul", { class: "compare" }, MODELS.filter((model) => model === "real" || item.nulls[model]).map((model) => {
    const estimate = emergenceOf(item, model);
    const value = estimate?.value ?? null;
    return h("li", { class: `is-${model}`, title: NULL_MEANING[model] ?? "" },
      h("span", { class: "name" }, SHORT_NAMES[model]), bar(estimate, reach),
      h("span", {}, value === null ? "—" : fixed(value)));
  }));
}

const emergenceOf = (item, model) => (model === "real" ? item.emergence : item.nulls?.[model]?.emergence);

const bounds = (estimate) => [estimate?.value, estimate?.low, estimate?.high];

function bar(estimate, { low, high }) {
  const at = (x) => (100 * (x - low)) / (high - low);
  const shape = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, text] of Object.entries(attributes)) element.setAttribute(name, text);
    return element;
  };
  const svg = shape("svg", { "aria-hidden": "true" });
  svg.append(shape("line", { class: "axis", x1: `${at(0)}%`, x2: `${at(0)}%`, y1: -3, y2: 13 }));
  if (estimate != null && estimate.value !== null) {
    const [left, right] = [Math.min(0, estimate.value), Math.max(0, estimate.value)];
    svg.append(shape("rect", { x: `${at(left)}%`, width: `${at(right) - at(left)}%`, y: 1, height: 8, rx: 2 }));
    if (estimate.low !== null) svg.append(shape("line", { class: "whisker", x1: `${at(estimate.low)}%`, x2: `${at(estimate.high)}%`, y1: 5, y2: 5 }));
  }
  return h("span", { class: "bar" }, svg);
}

function facts(item) {
  const { kept, total } = item.nodes;
  const lost = Object.entries(item.edges.dropped).filter(([, count]) => count > 0);
  const fits = Object.values(item.r_squared).filter((value) => value !== null);
  return h("dl", { class: "facts" },
    fact("Neurons kept", `${kept.toLocaleString("en")} of ${total.toLocaleString("en")} (${percent(total ? kept / total : 0)})`),
    fact("Edges in range", item.edges.kept.toLocaleString("en")),
    ...lost.map(([why, count]) => fact(DROPPED[why] ?? why, count.toLocaleString("en"))),
    fact("Lowest fit R²", fits.length ? fixed(Math.min(...fits)) : "—"),
    fact("Samples", String(item.samples)));
}

const DROPPED = {
  zero: "Edges of weight 0", nan: "Edges not a number", inf: "Edges infinite",
  within_one: "Edges nearer than 1", beyond_range: "Edges out of range",
};

function flags(names) {
  if (!names.length) return [h("p", { class: "none" }, "None raised.")];
  return names.map((name) => h("p", { class: "flag" }, h("b", {}, flagName(name)), ` ${flagMeaning(name)}`));
}
