// Purpose: all edges within a distance into one neuron, by the place of their sources: one step back along a path.
// Parameters: $key, $longest
MATCH (:Neuron {key: $key})<-[r:FEEDS]-(a)
WHERE r.distance <= $longest
RETURN a.key AS source, a.name AS name, r.distance AS distance, r.weight AS weight
ORDER BY source
