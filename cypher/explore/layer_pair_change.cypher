// Purpose: the edges between one layer and the next whose weights changed most between two steps.
// Parameters: $model = 'stdlib-14m', $before = 0, $after = 2000, $seed = 0, $layer = 10, $count = 30
// Look for: whether the change runs through few neurons. A weight too small to be stored (1/|w| > 200) counts as 0.
UNWIND [$before, $after] AS step
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH step, max(s.number) AS number
MATCH (a:Neuron {layer: $layer, sample: number})-[r:FEEDS]->(b:Neuron)
WHERE r.weight IS NOT NULL
WITH a.name AS source, b.name AS target, sum(CASE step WHEN $before THEN r.weight ELSE 0.0 END) AS before,
  sum(CASE step WHEN $after THEN r.weight ELSE 0.0 END) AS after
WITH source, target, before, after, after - before AS change
ORDER BY abs(change) DESC, source, target LIMIT $count
RETURN source, target, round(before, 5) AS weight_before, round(after, 5) AS weight_after, round(change, 5) AS change
LIMIT $count
