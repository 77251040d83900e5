// Purpose: mean node fractal dimension of every layer of some samples, and of how many neurons.
// Parameters: $samples, $layers
UNWIND $samples AS sample
UNWIND range(0, $layers - 1) AS place
MATCH (n:Neuron {layer: place, sample: sample})
WHERE n.nfd IS NOT NULL
RETURN sample, place AS layer, avg(n.nfd) AS mean, count(n) AS neurons
ORDER BY sample, layer
