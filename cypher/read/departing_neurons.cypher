// Purpose: part of the list of neurons that depart from chance, the smallest adjusted p first, equal ones by place.
// Parameters: $sample, $first, $last, $level, $by_nfd, $by_strength, $skip, $limit
UNWIND range($first, $last) AS place
MATCH (n:Neuron {layer: place, sample: $sample})
WITH n, CASE WHEN $by_nfd THEN coalesce(n.nfd_p_adjusted, 1.0) ELSE 1.0 END AS by_nfd,
  CASE WHEN $by_strength THEN coalesce(n.strength_p_adjusted, 1.0) ELSE 1.0 END AS by_strength
WITH n, CASE WHEN by_nfd < by_strength THEN by_nfd ELSE by_strength END AS smallest
WHERE smallest < $level
WITH n, smallest ORDER BY smallest, n.key SKIP $skip LIMIT $limit
RETURN n.key AS key, smallest, n.name AS name, n.nfd_tested AS nfd, n.nfd_z AS nfd_z, n.nfd_p AS nfd_p,
  n.nfd_p_adjusted AS nfd_p_adjusted, n.strength AS strength, n.strength_z AS strength_z, n.strength_p AS strength_p,
  n.strength_p_adjusted AS strength_p_adjusted
ORDER BY smallest, key
