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
UNWIND range(first + 1, last + 1) AS layer
MATCH (b:Neuron {layer: layer, sample: number})
OPTIONAL MATCH (a:Neuron)-[r:FEEDS]->(b)
WHERE r.distance <= $range
WITH number, first, layer, b, a.position AS source, r ORDER BY layer, b.position, source
WITH number, first, layer, b, collect([source, r.distance, r]) AS edges ORDER BY layer, b.position
WITH number, first, layer, collect([b, edges]) AS targets ORDER BY layer
WITH number, first, collect(targets) AS links
MATCH (n:Neuron {layer: first, sample: number})
WITH links, n ORDER BY n.position
WITH links, collect([0.0 - $gamma, [n], []]) AS starts
// row after row, the best way to every neuron: its length, its neurons, its edges
WITH reduce(ways = starts, targets IN links | [target IN targets | head([
  best IN [reduce(best = [1e300, null], edge IN target[1] | CASE WHEN ways[edge[0]][0] + edge[1] < best[0]
    THEN [ways[edge[0]][0] + edge[1], edge] ELSE best END)]
  | [best[0] + $gamma, ways[best[1][0]][1] + [target[0]], ways[best[1][0]][2] + [best[1][2]]]])]) AS ends
UNWIND ends AS way
WITH way WHERE way[0] <= $range
RETURN [n IN way[1] | n.name] AS path, round(way[0], 3) AS distance, way[1] AS nodes, way[2] AS edges
ORDER BY distance
LIMIT $count
