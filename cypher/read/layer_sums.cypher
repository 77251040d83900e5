// Purpose: count and control sums of the edges that leave one layer.
// Parameters: $sample, $layer
MATCH (a:Neuron {sample: $sample, layer: $layer})-[r:FEEDS]->(b:Neuron)
RETURN count(r) AS edges, sum(a.position) AS source, sum(b.position) AS target, sum(r.distance) AS distance
