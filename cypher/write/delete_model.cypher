// Purpose: delete a model that has no checkpoints any more.
// Parameters: $id
MATCH (m:Model {id: $id})
DETACH DELETE m
RETURN count(*) AS deleted
