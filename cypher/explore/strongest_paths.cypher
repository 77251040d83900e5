// Purpose: the shortest path through one block to each of the neurons it reaches best: input, one of query, key and
//   value, attention, dense, mlp, next input. The hop inside attention is wiring: distance 1 and no weight.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0, $block = 2, $range = 150.0, $gamma = 5.0, $count = 6
// Look for: how few neurons the paths share; distance is the sum of 1/|w| and gamma for every further hop.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH s ORDER BY s.number DESC LIMIT 1
MATCH (n0:Neuron {layer: 5 * $block, sample: s.number})-[r1:FEEDS]->(n1:Neuron)
WHERE r1.distance <= $range
WITH n1, n0, r1, r1.distance AS distance ORDER BY distance, n0.key
WITH n1, head(collect(n0)) AS n0, head(collect(r1)) AS r1, min(distance) AS so_far
MATCH (n1)-[r2:FEEDS]->(n2:Neuron)
WHERE r2.distance <= $range
WITH n2, n1, n0, r1, r2, so_far + $gamma + r2.distance AS distance ORDER BY distance, n1.key
WITH n2, head(collect([n0, n1])) AS nodes, head(collect([r1, r2])) AS edges, min(distance) AS so_far
MATCH (n2)-[r3:FEEDS]->(n3:Neuron)
WHERE r3.distance <= $range
WITH n3, n2, nodes, edges, r3, so_far + $gamma + r3.distance AS distance ORDER BY distance, n2.key
WITH n3, head(collect(nodes + [n2])) AS nodes, head(collect(edges + [r3])) AS edges, min(distance) AS so_far
MATCH (n3)-[r4:FEEDS]->(n4:Neuron)
WHERE r4.distance <= $range
WITH n4, n3, nodes, edges, r4, so_far + $gamma + r4.distance AS distance ORDER BY distance, n3.key
WITH n4, head(collect(nodes + [n3])) AS nodes, head(collect(edges + [r4])) AS edges, min(distance) AS so_far
MATCH (n4)-[r5:FEEDS]->(n5:Neuron)
WHERE r5.distance <= $range
WITH n5, n4, nodes, edges, r5, so_far + $gamma + r5.distance AS distance ORDER BY distance, n4.key
WITH n5, head(collect(nodes + [n4, n5])) AS nodes, head(collect(edges + [r5])) AS edges, min(distance) AS distance
WHERE distance <= $range
RETURN [n IN nodes | n.name] AS path, round(distance, 3) AS distance, nodes, edges
ORDER BY distance
LIMIT $count
