// Purpose: make or update a checkpoint of a model; rank is its step, or -1 where it has none.
// Parameters: $model, $id, $step, $rank, $properties
MATCH (m:Model {id: $model})
MERGE (c:Checkpoint {id: $id})
SET c.step = $step, c.rank = $rank, c += $properties
MERGE (m)-[:HAS_CHECKPOINT]->(c)
RETURN c.id AS id
