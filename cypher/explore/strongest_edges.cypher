// Purpose: the strongest edges of one block, drawn.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $block = 2, $count = 25
// Look for: neurons where several of them meet. Wiring inside attention has no weight and is left out.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
UNWIND range(5 * $block, 5 * $block + 4) AS layer
MATCH (a:Neuron {layer: layer, sample: s.number})-[r:FEEDS]->(b:Neuron)
WHERE r.weight IS NOT NULL
WITH a, r, b ORDER BY r.distance, a.key, b.key LIMIT $count
RETURN a, r, b
