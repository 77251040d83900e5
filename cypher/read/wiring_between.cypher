// Purpose: the wiring from some neurons to some others, by place.
// Parameters: $sources, $targets, $limit
// The sum keeps the planner from a seek for the targets, which would pair all of them with all sources.
UNWIND $sources AS key
MATCH (a:Neuron {key: key})-[r:FEEDS]->(b)
WHERE r.weight IS NULL AND b.key + 0 IN $targets
RETURN a.name AS source, b.name AS target, r.distance AS distance, null AS weight, a.key AS source_key,
  b.key AS target_key
ORDER BY source_key, target_key
LIMIT $limit
