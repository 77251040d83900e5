// Purpose: one neuron in several samples: its dimensions, and number and strength of its weighted edges in range.
// Parameters: $samples, $name, $longest
UNWIND $samples AS number
MATCH (n:Neuron {name: $name, sample: number})
WITH number, n ORDER BY n.key
WITH number, head(collect(n)) AS n
OPTIONAL MATCH (n)<-[r:FEEDS]-()
WHERE r.weight IS NOT NULL AND r.distance <= $longest
WITH number, n, count(r) AS edges_in, sum(abs(r.weight)) AS strength_in
OPTIONAL MATCH (n)-[r:FEEDS]->()
WHERE r.weight IS NOT NULL AND r.distance <= $longest
RETURN number, n.nfd AS nfd, n.nfd_own AS nfd_own, edges_in, strength_in, count(r) AS edges_out,
  sum(abs(r.weight)) AS strength_out
ORDER BY number
