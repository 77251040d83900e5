// Purpose: how the neurons of one layer stand against chance, as columns in the order of their positions.
// Parameters: $sample, $layer
MATCH (n:Neuron {sample: $sample, layer: $layer})
WITH n ORDER BY n.position
RETURN collect([n.nfd_tested, n.nfd_z, n.nfd_p, n.nfd_p_adjusted,
  n.strength, n.strength_z, n.strength_p, n.strength_p_adjusted]) AS neurons
