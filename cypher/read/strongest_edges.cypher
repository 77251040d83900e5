// Purpose: the strongest edges that leave some layers, equally strong ones by place; wiring has no weight.
// Parameters: $sample, $first, $last, $top
UNWIND range($first, $last) AS place
MATCH (a:Neuron {layer: place, sample: $sample})-[r:FEEDS]->(b)
WHERE r.weight IS NOT NULL
WITH a, r, b ORDER BY r.distance, a.key, b.key LIMIT $top
RETURN a.name AS source, b.name AS target, r.distance AS distance, r.weight AS weight, a.key AS source_key,
  b.key AS target_key
ORDER BY distance, source_key, target_key
