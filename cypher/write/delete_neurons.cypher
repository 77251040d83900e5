// Purpose: delete a few neurons of one layer of one sample with their edges; short, so that readers never wait long.
// Parameters: $sample, $layer, $limit
MATCH (n:Neuron {sample: $sample, layer: $layer})
WITH n LIMIT $limit
DETACH DELETE n
RETURN count(*) AS deleted
