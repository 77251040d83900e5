// Purpose: the kept neurons of one block with the fewest edges in range: those nearest to being left out.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $block = 2, $range = 150.0, $count = 25
// Look for: how far they are from the limit of more than 10 edges; below it a neuron takes no part in any number.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
UNWIND range(0, s.n_layers - 1) AS layer
MATCH (n:Neuron {layer: layer, sample: s.number})
WHERE n.block = $block AND n.nfd IS NOT NULL
MATCH (n)-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance <= $range
WITH n, count(r) AS edges, sum(abs(r.weight)) AS strength, min(r.distance) AS shortest
ORDER BY edges, strength, n.key LIMIT $count
RETURN n.name AS neuron, edges AS edges_in_range, round(strength, 3) AS strength, round(shortest, 2) AS shortest,
  round(n.nfd, 4) AS dimension, round(n.nfd_own, 4) AS own_dimension
ORDER BY edges_in_range, strength, neuron
LIMIT $count
