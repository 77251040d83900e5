// Words that rows of exported charts use.

export const MODEL_NAMES = {
  real: "Real weights", shuffled: "Shuffled null", rewired: "Rewired null", gaussian: "Gaussian null", rescaled: "Rescaled null",
};
export const checkpointName = (item) => (item.step === null ? item.revision : `step ${item.step}`);
