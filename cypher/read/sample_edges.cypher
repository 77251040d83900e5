// Purpose: the weighted edges that leave some positions of one layer, as columns.
// Parameters: $sample, $layer, $first, $last
MATCH (a:Neuron {sample: $sample, layer: $layer})-[r:FEEDS]->(b:Neuron)
WHERE a.position >= $first AND a.position <= $last
RETURN collect(a.position) AS source, collect(b.position) AS target, collect(r.distance) AS distance,
  collect(r.weight) AS weight
