// Purpose: part of the list of neurons of some layers, of one kind where asked, by place.
// Parameters: $sample, $first, $last, $kind, $skip, $limit
UNWIND range($first, $last) AS place
MATCH (n:Neuron {layer: place, sample: $sample})
WHERE $kind IS NULL OR n.kind = $kind
WITH n ORDER BY n.key SKIP $skip LIMIT $limit
RETURN n.key AS key, n.name AS name, n.layer AS layer, n.position AS position, n.block AS block, n.kind AS kind,
  n.index AS index, n.nfd AS nfd, n.nfd_own AS nfd_own
ORDER BY key
