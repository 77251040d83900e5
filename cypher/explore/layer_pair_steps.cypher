// Purpose: one layer pair over all steps: edges in range, how long they are, and the largest weight.
// Parameters: $model = 'stdlib-14m', $seed = 0, $layer = 10, $range = 150.0
// Look for: the step at which the distances begin to shrink.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH c, max(s.number) AS number ORDER BY c.step LIMIT 40
MATCH (a:Neuron {layer: $layer, sample: number})-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance <= $range
RETURN c.step AS step, count(DISTINCT a) AS sources, count(r) AS edges_in_range,
  round(avg(r.distance), 2) AS mean_distance, round(min(r.distance), 3) AS shortest,
  round(max(abs(r.weight)), 4) AS largest_weight
ORDER BY step
LIMIT 40
