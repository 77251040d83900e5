// Purpose: part of the list of neurons that have a fractal dimension, the highest first, equal ones by place.
// Parameters: $sample, $first, $last, $kind, $skip, $limit
UNWIND range($first, $last) AS place
MATCH (n:Neuron {layer: place, sample: $sample})
WHERE n.nfd IS NOT NULL AND ($kind IS NULL OR n.kind = $kind)
WITH n ORDER BY n.nfd DESC, n.key SKIP $skip LIMIT $limit
RETURN n.key AS key, n.name AS name, n.layer AS layer, n.position AS position, n.block AS block, n.kind AS kind,
  n.index AS index, n.nfd AS nfd, n.nfd_own AS nfd_own
ORDER BY nfd DESC, key
