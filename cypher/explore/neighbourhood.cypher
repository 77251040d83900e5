// Purpose: the neuron of highest fractal dimension with its strongest edges, in and out.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $count = 12
// Look for: its kind and block; double-click a neighbour to go on from there.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
UNWIND range(0, s.n_layers - 1) AS layer
MATCH (n:Neuron {layer: layer, sample: s.number})
WHERE n.nfd IS NOT NULL
WITH n ORDER BY n.nfd DESC, n.key LIMIT 1
MATCH (n)-[r:FEEDS]->(b:Neuron)
WHERE r.weight IS NOT NULL
WITH n, r, b ORDER BY r.distance, b.key LIMIT $count
WITH n, collect(r) AS out, collect(b) AS targets
OPTIONAL MATCH (a:Neuron)-[r:FEEDS]->(n)
WHERE r.weight IS NOT NULL
WITH n, out, targets, r, a ORDER BY r.distance, a.key LIMIT $count
RETURN n, n.name AS neuron, round(n.nfd, 4) AS dimension, out, targets, collect(r) AS in, collect(a) AS sources
LIMIT 1
