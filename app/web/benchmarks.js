// How E, alpha0 and width go along with benchmark scores, and how those of the nulls do.

import { h } from "./dom.js";
import { MODELS, SHORT_NAMES, fixed } from "./words.js";

const MEASURES = { emergence: "E", alpha0: "α₀", width: "Width" };
const REASONS = {
  few_steps: "too few steps", constant: "does not change", no_rms: "not stored", no_remainder: "nothing left",
  uneven_steps: "uneven steps", only_trend: "trend alone",
};
const BEYOND = [["partial_step", "E given log step", 2], ["p", "E p", 3], ["q", "E q", 3]];

export function benchmarks(model, correlations) {
  if (!correlations.length) {
    return [h("p", { class: "none" }, "No benchmark scores are stored. ", h("code", {}, `neuromfa scores ${model} scores.csv`),
      " puts some beside the checkpoints.")];
  }
  const columns = MODELS.flatMap((null_) => correlations.some((one) => one.model === null_) ? [["emergence", null_]] : []);
  if (correlations.some((one) => one.model === "excess")) columns.push(["emergence", "excess"]);
  columns.push(["alpha0", "real"], ["width", "real"]);
  const rows = Map.groupBy(correlations, (one) => `${one.task} ${one.metric}`);
  return [h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Benchmark"), h("th", { scope: "col" }, "Steps"),
      columns.map(([measure, model_]) => h("th", { scope: "col", class: `null is-${model_}` },
        model_ === "real" ? MEASURES[measure] : `${MEASURES[measure]} ${(SHORT_NAMES[model_] ?? model_).toLowerCase()}`)),
      BEYOND.map(([, name]) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, [...rows].map(([name, ones]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, String(ones[0].n)),
      columns.map(([measure, model_]) => cell(find(ones, measure, model_)?.spearman, find(ones, measure, model_)?.reason)),
      BEYOND.map(([field, , digits]) => {
        const one = find(ones, "emergence", "real");
        return cell(one?.[field], one?.[`${field === "q" ? "p" : field}_reason`], digits);
      })))))];
}

function find(ones, measure, model) {
  return ones.find((one) => one.measure === measure && one.model === model);
}

function cell(value, reason, digits = 2) {
  if (value === null || value === undefined) return h("td", {}, h("span", { class: "why" }, REASONS[reason] ?? "not measured"));
  return h("td", {}, fixed(value, digits));
}
