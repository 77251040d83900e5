// Every word and number format that more than one part of the page uses.

export const MODELS = ["real", "shuffled", "gaussian", "rescaled"];
export const MODEL_NAMES = {
  real: "Real weights", shuffled: "Shuffled null", gaussian: "Gaussian null", rescaled: "Rescaled null",
};
export const SHORT_NAMES = { real: "Real", shuffled: "Shuffled", gaussian: "Gaussian", rescaled: "Rescaled" };
export const NULL_MEANING = {
  shuffled: "entries permuted inside each matrix",
  gaussian: "normal entries of the same spread",
  rescaled: "the baseline’s weights at this step’s scale",
};
const REASONS = {
  no_baseline: "no baseline to compare with",
  alpha0_not_positive: "α₀ is not above 0",
  zero_baseline_width: "the baseline has width 0",
};
export const FLAGS = {
  non_concave_tau: ["τ not concave", "f rises above 0, or α rises with q: the spectrum is not a proper one."],
  few_nodes: ["few nodes", "Fewer than 30 neurons are kept."],
  poor_fit: ["poor fit", "A log-log fit has R² below 0.8: no clean scaling."],
  single_scale_leverage: ["one radius rules", "The smallest radius rests on fewer than 3 edges, and the width moves more than 5 % without it."],
  coverage_shift: ["coverage shift", "The kept share differs more than 10 points from the baseline: E compares different sets of neurons."],
  few_layers: ["few layers", "The network has fewer than 3 blocks."],
  whole_layer: ["whole layer", "A layer was taken whole; its samples do not differ."],
};

export const reason = (name) => REASONS[name] ?? (name ?? "not measured").replaceAll("_", " ");
export const flagName = (flag) => FLAGS[flag]?.[0] ?? flag.replaceAll("_", " ");
export const flagMeaning = (flag) => FLAGS[flag]?.[1] ?? "";
export const fixed = (value, digits = 3) => value.toFixed(digits).replace("-", "−").replace(/^−(0\.?0*)$/, "$1");
export const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
export const stepName = (item) => (item.step === null ? item.revision : String(item.step));
export const checkpointName = (item) => (item.step === null ? item.revision : `step ${item.step}`);
