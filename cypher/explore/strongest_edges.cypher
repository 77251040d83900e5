// Purpose: the strongest edges of one block, drawn: as many from each of its weight matrices.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $block = 2, $count = 10
// Look for: neurons where several of them meet. Wiring has no weight and is left out.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s.number AS number, s.n_layers AS n_layers ORDER BY number DESC LIMIT 1
UNWIND range(0, n_layers - 1) AS layer
CALL (number, layer) {
  MATCH (a:Neuron {layer: layer, sample: number})-[r:FEEDS]->(b:Neuron)
  WHERE a.block = $block AND r.weight IS NOT NULL
  RETURN a, r, b
  ORDER BY r.distance, a.key, b.key
  LIMIT $count
}
RETURN a.name AS source, b.name AS target, round(r.weight, 4) AS weight, a, r, b
ORDER BY layer, r.distance, a.key, b.key
LIMIT 100
