// Purpose: make weighted edges between one layer and the next, columns as parameters, ends by position in their layer.
// Parameters: $sample, $layer, $source, $target, $distance, $weight
MATCH (a:Neuron {sample: $sample, layer: $layer})
WITH a ORDER BY a.position
WITH collect(a) AS sources
MATCH (b:Neuron {sample: $sample, layer: $layer + 1})
WITH sources, b ORDER BY b.position
WITH sources, collect(b) AS targets
UNWIND range(0, size($source) - 1) AS i
WITH sources[$source[i]] AS a, targets[$target[i]] AS b, $distance[i] AS distance, $weight[i] AS weight
CREATE (a)-[:FEEDS {distance: distance, weight: weight}]->(b)
