// Purpose: one neuron over all steps: its dimension, and number and strength of its edges, in and out.
// Parameters: $model = 'stdlib-14m', $seed = 0, $name = 'B02.key.00066', $range = 150.0
// Look for: when its strength sets in. A neuron without weighted edges out has no dimension.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH c, max(s.number) AS number ORDER BY c.step LIMIT 200
MATCH (n:Neuron {name: $name, sample: number})
OPTIONAL MATCH (a:Neuron)-[r:FEEDS]->(n)
WHERE r.weight IS NOT NULL AND r.distance <= $range
WITH c, n, a, r ORDER BY r.distance, a.key
WITH c, n, count(r) AS edges_in, sum(abs(r.weight)) AS strength_in, head(collect(a.name)) AS strongest_source
OPTIONAL MATCH (n)-[r:FEEDS]->(b:Neuron)
WHERE r.weight IS NOT NULL AND r.distance <= $range
WITH c, n, edges_in, strength_in, strongest_source, r, b ORDER BY r.distance, b.key
RETURN c.step AS step, round(n.nfd, 4) AS dimension, edges_in, round(strength_in, 3) AS strength_in, strongest_source,
  count(r) AS edges_out, round(sum(abs(r.weight)), 3) AS strength_out, head(collect(b.name)) AS strongest_target
ORDER BY step
LIMIT 200
