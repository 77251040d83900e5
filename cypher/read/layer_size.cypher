// Purpose: number of neurons in one layer of one sample.
// Parameters: $sample, $layer
MATCH (n:Neuron {sample: $sample, layer: $layer})
RETURN count(n) AS neurons
