// Purpose: make or update a model.
// Parameters: $id, $properties
MERGE (m:Model {id: $id})
SET m += $properties
