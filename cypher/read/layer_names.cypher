// Purpose: names of all neurons of some layers, by place.
// Parameters: $sample, $first, $last
UNWIND range($first, $last) AS place
MATCH (n:Neuron {layer: place, sample: $sample})
RETURN n.name AS name, n.key AS key
ORDER BY key
