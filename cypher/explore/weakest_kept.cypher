// Purpose: the neurons of lowest fractal dimension among those that are kept, with their edges in range.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $range = 150.0, $count = 25
// Look for: neurons barely above the limit of 10 edges; negative moments q speak mostly of these.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
UNWIND range(0, s.n_layers - 1) AS layer
MATCH (n:Neuron {layer: layer, sample: s.number})
WHERE n.nfd IS NOT NULL
WITH n ORDER BY n.nfd, n.key LIMIT $count
MATCH (n)-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance <= $range
RETURN n.name AS neuron, n.kind AS kind, round(n.nfd, 4) AS dimension, round(n.nfd_own, 4) AS own_dimension,
  count(r) AS edges_in_range, round(min(r.distance), 2) AS shortest, round(sum(abs(r.weight)), 3) AS strength
ORDER BY dimension, neuron
LIMIT $count
