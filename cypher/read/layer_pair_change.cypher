// Purpose: the edges from one layer to the next in two samples, the largest changes of weight first; no edge counts as 0.
// Parameters: $before, $after, $layer, $longest, $top
UNWIND CASE WHEN $before = $after THEN [$before] ELSE [$before, $after] END AS number
MATCH (a:Neuron {layer: $layer, sample: number})-[r:FEEDS]->(b)
WHERE r.weight IS NOT NULL AND r.distance <= $longest
WITH a.position AS source_position, b.position AS target_position, min(a.name) AS source, min(b.name) AS target,
  max(CASE WHEN number = $before THEN r.weight ELSE null END) AS before,
  max(CASE WHEN number = $after THEN r.weight ELSE null END) AS after
WITH source_position, target_position, source, target, before, after,
  coalesce(after, 0.0) - coalesce(before, 0.0) AS change
ORDER BY abs(change) DESC, source_position, target_position
WITH count(before) AS edges_before, count(after) AS edges_after, count(before + after) AS edges_both,
  collect([source, target, before, after, change])[0..$top] AS largest
RETURN edges_before, edges_after, edges_both, largest
