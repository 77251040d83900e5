// All numbers of a series as one table: a row for each step, its flags and coverage in the same row.

import { h } from "./dom.js";
import { MODELS, fixed, flagMeaning, flagName, percent, reason, stepName } from "./words.js";

export function table(items, onPick) {
  const nulls = MODELS.filter((model) => model !== "real" && items.some((item) => item.nulls?.[model]));
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Step"), h("th", { scope: "col" }, "α₀"), h("th", { scope: "col" }, "Width"),
      h("th", { scope: "col", class: "null is-real" }, "E"),
      nulls.map((model) => h("th", { scope: "col", class: `null is-${model}` }, `E ${model}`)),
      h("th", { scope: "col" }, "Neurons kept"), h("th", { scope: "col" }, "Flags"))),
    h("tbody", {}, items.map((item, at) => row(item, { at, nulls, onPick }))));
}

function row(item, { at, nulls, onPick }) {
  const { kept, total } = item.nodes;
  return h("tr", { "data-at": at },
    h("th", { scope: "row" }, h("button", { type: "button", onclick: () => onPick(item.step) }, stepName(item))),
    cell(item.alpha0), cell(item.width), cell(item.emergence, item.emergence_reason),
    nulls.map((model) => cell(item.nulls?.[model]?.emergence, item.nulls?.[model]?.reason ?? item.emergence_reason)),
    h("td", {}, percent(total ? kept / total : 0), h("small", {}, `${kept.toLocaleString("en")} of ${total.toLocaleString("en")}`)),
    h("td", {}, h("ul", { class: "chips" }, item.flags.map((flag) => h("li", { class: "chip", title: flagMeaning(flag) }, flagName(flag))))));
}

function cell(estimate, why = null) {
  if (!estimate || estimate.value === null) return h("td", {}, h("span", { class: "why" }, reason(why)));
  const half = estimate.low === null ? null : (estimate.high - estimate.low) / 2;
  return h("td", {}, fixed(estimate.value, 4), half === null ? null : h("small", {}, `± ${fixed(half, 4)}`));
}
