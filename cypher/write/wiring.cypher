// Purpose: make artificial edges between one layer and the next; they have a distance and no weight.
// Parameters: $sample, $layer, $source, $target, $distance
MATCH (a:Neuron {sample: $sample, layer: $layer})
WITH a ORDER BY a.position
WITH collect(a) AS sources
MATCH (b:Neuron {sample: $sample, layer: $layer + 1})
WITH sources, b ORDER BY b.position
WITH sources, collect(b) AS targets
UNWIND range(0, size($source) - 1) AS i
WITH sources[$source[i]] AS a, targets[$target[i]] AS b, $distance[i] AS distance
CREATE (a)-[:FEEDS {distance: distance}]->(b)
