// Purpose: one neuron of a sample by its name; of several copies (shared keys and values) the first.
// Parameters: $sample, $name
MATCH (n:Neuron {name: $name, sample: $sample})
RETURN n.key AS key, n.name AS name, n.layer AS layer, n.position AS position, n.block AS block, n.kind AS kind,
  n.index AS index, n.nfd AS nfd, n.nfd_own AS nfd_own
ORDER BY key
LIMIT 1
