// Purpose: index and dimensions of one layer's neurons as columns in the order of their positions.
// Parameters: $sample, $layer
MATCH (n:Neuron {sample: $sample, layer: $layer})
WITH n ORDER BY n.position
RETURN collect([n.position, n.index, n.nfd, n.nfd_own]) AS neurons
