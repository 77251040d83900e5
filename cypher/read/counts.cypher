// Purpose: how much the store holds, by kind of node.
// Parameters: none
RETURN COUNT { (:Model) } AS models, COUNT { (:Checkpoint) } AS checkpoints, COUNT { (:Sample) } AS samples,
  COUNT { (:Spectrum) } AS spectra, COUNT { (:Neuron) } AS neurons
