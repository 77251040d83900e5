// Purpose: a page of a model's checkpoints with all that is said of them, by step.
// Parameters: $model, $after, $limit
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)
WHERE c.rank > $after
RETURN properties(c) AS properties, c.rank AS rank
ORDER BY rank
LIMIT $limit
