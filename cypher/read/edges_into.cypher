// Purpose: all edges within a distance into one neuron, by the place of their sources: one step back along a path.
// Parameters: $key, $longest
MATCH (a:Neuron)-[r:FEEDS]->(:Neuron {key: $key})
WHERE r.distance <= $longest
RETURN a.key AS source, a.name AS name, r.distance AS distance, r.weight AS weight
ORDER BY source
