// Purpose: the same along the wiring inside attention alone, which has no weights.
// Parameters: $frontier, $longest
UNWIND $frontier AS f
MATCH (:Neuron {key: f[0]})-[r:FEEDS]->(m)
WHERE r.weight IS NULL
WITH m.key AS key, min(f[1] + r.distance) AS distance
WHERE distance <= $longest
RETURN collect(key) AS key, collect(distance) AS distance
