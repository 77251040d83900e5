// Purpose: the distribution of the distances that leave one layer, in bins.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $layer = 10, $range = 150.0, $bin = 10.0
// Look for: where the bulk lies against the range; layer runs 0, 1, 2 ... over all rows, see block_rows.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
MATCH (a:Neuron {layer: $layer, sample: s.number})-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance <= $range
WITH toInteger(r.distance / $bin) AS place, count(r) AS edges
WITH collect([place, edges]) AS bins, sum(edges) AS total, max(edges) AS most
UNWIND bins AS pair
WITH pair[0] * $bin AS from_distance, pair[1] AS edges, total, most
RETURN from_distance, from_distance + $bin AS to_distance, edges, round(100.0 * edges / total, 2) AS percent,
  reduce(bar = '', i IN range(1, 40 * edges / most) | bar + '#') AS bar
ORDER BY from_distance
LIMIT 400
