// Purpose: one layer of path distances: from neurons [key, distance so far] to all they feed, within a cut.
// Parameters: $frontier, $longest
UNWIND $frontier AS f
MATCH (:Neuron {key: f[0]})-[r:FEEDS]->(m)
WITH m.key AS key, min(f[1] + r.distance) AS distance
WHERE distance <= $longest
RETURN collect(key) AS key, collect(distance) AS distance
