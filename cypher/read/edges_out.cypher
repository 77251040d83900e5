// Purpose: weighted edges in range out of one neuron: how many, their strength, and the strongest, equal ones by place.
// Parameters: $key, $range, $top
MATCH (n:Neuron {key: $key})
OPTIONAL MATCH (n)-[r:FEEDS]->(b)
WHERE r.weight IS NOT NULL AND r.distance <= $range
WITH b, r ORDER BY r.distance, b.key
WITH count(r) AS edges, sum(abs(r.weight)) AS strength,
  collect(CASE WHEN r IS NULL THEN null ELSE [b.name, r.distance, r.weight] END) AS found
RETURN edges, strength, found[0..$top] AS strongest
