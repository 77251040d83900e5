// Purpose: the shortest path through one block, from its first row to the row after its last, to each of the neurons it
//   reaches best. Hops inside attention, or from gate and up, are wiring: distance 1 and no weight.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $block = 2, $range = 150.0, $gamma = 5.0, $count = 6
// Look for: how few neurons the paths share; distance is the sum of 1/|w| and gamma for every further hop.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
UNWIND range(0, s.n_layers - 1) AS layer
MATCH (n:Neuron {layer: layer, sample: s.number})
WHERE n.block = $block
WITH s.number AS number, min(n.layer) AS first, max(n.layer) AS last
UNWIND range(first, last + 1) AS layer
MATCH (b:Neuron {layer: layer, sample: number})
OPTIONAL MATCH (a:Neuron)-[r:FEEDS]->(b)
WHERE layer > first AND r.distance <= $range
// a path begins in the first row: an edge of no hop leads there
WITH layer, b, CASE layer WHEN first THEN 0 ELSE a.position END AS source,
  CASE layer WHEN first THEN -2.0 * $gamma ELSE r.distance END AS distance, r
ORDER BY layer, b.position, source
WITH layer, b, collect([source, distance, r]) AS edges ORDER BY layer, b.position
WITH layer, collect([b, edges]) AS targets ORDER BY layer
WITH collect(targets) AS rows
// row after row, the best way to every neuron: its length, its neurons, its edges
WITH reduce(ways = [[0.0, [], []]], targets IN rows | [target IN targets | head([
  best IN [reduce(best = [1e300, null], edge IN target[1] | CASE WHEN ways[edge[0]][0] + edge[1] < best[0]
    THEN [ways[edge[0]][0] + edge[1], edge] ELSE best END)]
  | [best[0] + $gamma, ways[best[1][0]][1] + [target[0]], ways[best[1][0]][2] + [best[1][2]]]])]) AS ends
UNWIND ends AS way
// the minimum is of one way; aggregating lets go of the rows above
WITH way[1] AS nodes, way[2] AS edges, min(way[0]) AS length
WHERE length <= $range AND size(nodes) > 1
RETURN [n IN nodes | n.name] AS path, round(length, 3) AS distance, nodes, edges[1..] AS edges
ORDER BY distance
LIMIT $count
