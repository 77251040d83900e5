// Purpose: what was read of each checkpoint of a model, under the keys of its files.
// Parameters: $model
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)
WHERE c.seen IS NOT NULL
RETURN c.step AS step, c.seen AS seen
