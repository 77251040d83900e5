// Purpose: set how neurons stand against chance, columns as parameters.
// Parameters: $keys, $nfd_tested, $nfd_z, $nfd_p, $nfd_p_adjusted, $strength, $strength_z, $strength_p, $strength_p_adjusted
UNWIND range(0, size($keys) - 1) AS i
MATCH (n:Neuron {key: $keys[i]})
SET n.nfd_tested = $nfd_tested[i], n.nfd_z = $nfd_z[i], n.nfd_p = $nfd_p[i], n.nfd_p_adjusted = $nfd_p_adjusted[i],
  n.strength = $strength[i], n.strength_z = $strength_z[i], n.strength_p = $strength_p[i],
  n.strength_p_adjusted = $strength_p_adjusted[i]
