// Purpose: node fractal dimension by block and kind of neuron: how many are kept, mean, lowest, highest.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0
// Look for: kinds whose dimension falls first; compare with another step.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
UNWIND range(0, s.n_layers - 1) AS layer
MATCH (n:Neuron {layer: layer, sample: s.number})
WITH layer, n.block AS block, n.kind AS kind, count(n) AS neurons, count(n.nfd) AS kept, avg(n.nfd) AS mean,
  min(n.nfd) AS lowest, max(n.nfd) AS highest
WHERE kept > 0
RETURN block, kind, neurons, kept, round(mean, 4) AS mean, round(lowest, 4) AS lowest, round(highest, 4) AS highest
ORDER BY layer, kind
LIMIT 500
