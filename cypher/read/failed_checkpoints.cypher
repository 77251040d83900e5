// Purpose: the checkpoints of a model that could not be measured when they were last looked at, by step.
// Parameters: $model
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)
WHERE c.status = 'failed'
RETURN c.step AS step, c.revision AS revision, c.error AS error, c.sentence AS sentence, c.rank AS rank
ORDER BY rank
