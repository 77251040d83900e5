// Purpose: mean node fractal dimension of every layer of one sample, and of how many neurons.
// Parameters: $sample, $layers
UNWIND range(0, $layers - 1) AS place
MATCH (n:Neuron {layer: place, sample: $sample})
WHERE n.nfd IS NOT NULL
RETURN place AS layer, avg(n.nfd) AS mean, count(n) AS neurons
ORDER BY layer
