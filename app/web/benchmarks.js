// How E, alpha0 and width go along with benchmark scores, and how those of the nulls do.

import { h } from "./dom.js";
import { MODELS, SHORT_NAMES, fixed } from "./words.js";

const MEASURES = { emergence: "E", alpha0: "α₀", width: "Width" };
const REASONS = { few_steps: "fewer than 3 steps", constant: "does not change" };

export function benchmarks(model, correlations) {
  if (!correlations.length) {
    return [h("p", { class: "none" }, "No benchmark scores are stored. ", h("code", {}, `neuromfa scores ${model} scores.csv`),
      " puts some beside the checkpoints.")];
  }
  const columns = MODELS.flatMap((null_) => correlations.some((one) => one.model === null_) ? [["emergence", null_]] : []);
  columns.push(["alpha0", "real"], ["width", "real"]);
  const rows = Map.groupBy(correlations, (one) => `${one.task} ${one.metric}`);
  return [h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Benchmark"), h("th", { scope: "col" }, "Steps"),
      columns.map(([measure, model_]) => h("th", { scope: "col", class: `null is-${model_}` },
        model_ === "real" ? MEASURES[measure] : `${MEASURES[measure]} ${SHORT_NAMES[model_].toLowerCase()}`)))),
    h("tbody", {}, [...rows].map(([name, ones]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, String(ones[0].n)),
      columns.map(([measure, model_]) => cell(ones.find((one) => one.measure === measure && one.model === model_)))))))];
}

function cell(one) {
  if (!one?.spearman) return h("td", {}, h("span", { class: "why" }, REASONS[one?.reason] ?? "not measured"));
  const { value, low, high } = one.spearman;
  return h("td", {}, fixed(value, 2), low === null ? null : h("small", {}, `${fixed(low, 2)} … ${fixed(high, 2)}`));
}
