// Purpose: the rows of one block: kinds, neurons, edges in range, and how long the edges are.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $block = 2, $range = 150.0
// Look for: rows with short edges; there the weights are large. Rows without edges have wiring only.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
UNWIND range(0, s.n_layers - 1) AS layer
MATCH (n:Neuron {layer: layer, sample: s.number})
WHERE n.block = $block
OPTIONAL MATCH (n)-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance <= $range
WITH n, count(r) AS edges, sum(r.distance) AS total, min(r.distance) AS shortest
WITH n.layer AS layer, n.block AS block, n.kind AS kind, count(n) AS neurons, sum(edges) AS edges_in_range,
  sum(total) AS total, min(shortest) AS shortest
RETURN layer, block, kind, neurons, edges_in_range,
  CASE edges_in_range WHEN 0 THEN null ELSE round(total / edges_in_range, 2) END AS mean_distance,
  round(shortest, 3) AS shortest
ORDER BY layer, kind
LIMIT 50
