// Purpose: one undirected relaxation of many sources, [source, key, distance so far], within some layers and a cut.
// Parameters: $frontier, $first, $last, $longest
UNWIND $frontier AS f
MATCH (:Neuron {key: f[1]})-[r:FEEDS]-(m)
WHERE m.layer >= $first AND m.layer <= $last
WITH f[0] AS source, m.key AS key, min(f[2] + r.distance) AS distance
WHERE distance <= $longest
RETURN collect(source) AS source, collect(key) AS key, collect(distance) AS distance
