// Purpose: weighted edges in range into one neuron: how many, their strength, and the strongest, equal ones by place.
// Parameters: $key, $range, $top
MATCH (n:Neuron {key: $key})
OPTIONAL MATCH (n)<-[r:FEEDS]-(a)
WHERE r.weight IS NOT NULL AND r.distance <= $range
WITH a, r ORDER BY r.distance, a.key
WITH count(r) AS edges, sum(abs(r.weight)) AS strength,
  collect(CASE WHEN r IS NULL THEN null ELSE [a.name, r.distance, r.weight] END) AS found
RETURN edges, strength, found[0..$top] AS strongest
