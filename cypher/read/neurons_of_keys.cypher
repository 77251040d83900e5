// Purpose: neurons by their keys, by place.
// Parameters: $keys
UNWIND $keys AS key
MATCH (n:Neuron {key: key})
RETURN n.key AS key, n.name AS name, n.layer AS layer, n.position AS position, n.block AS block, n.kind AS kind,
  n.index AS index, n.nfd AS nfd, n.nfd_own AS nfd_own
ORDER BY key
