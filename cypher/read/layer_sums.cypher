// Purpose: count and control sum of the edges that leave one layer.
// Parameters: $sample, $layer
MATCH (a:Neuron {sample: $sample, layer: $layer})-[r:FEEDS]->(b:Neuron)
RETURN count(r) AS edges, sum(r.distance) AS distance
