// Purpose: one undirected relaxation of [key, distance so far, box]: of equally near boxes the lowest is carried on.
// Parameters: $frontier, $first, $last, $longest
UNWIND $frontier AS f
MATCH (:Neuron {key: f[0]})-[r:FEEDS]-(m)
WHERE m.layer >= $first AND m.layer <= $last
WITH m.key AS key, f[1] + r.distance AS distance, min(f[2]) AS box
WHERE distance <= $longest
WITH key, distance, box ORDER BY distance
WITH key, head(collect([distance, box])) AS nearest
RETURN collect(key) AS key, collect(nearest[0]) AS distance, collect(nearest[1]) AS box
