// Purpose: how many checkpoints of several models could not be measured when they were last looked at.
// Parameters: $models
UNWIND $models AS model
MATCH (m:Model {id: model})-[:HAS_CHECKPOINT]->(c:Checkpoint)
WHERE c.status = 'failed'
RETURN model, count(c) AS failed
ORDER BY model
