// Purpose: one model.
// Parameters: $id
MATCH (m:Model {id: $id})
RETURN m.id AS id, properties(m) AS properties, COUNT { (m)-[:HAS_CHECKPOINT]->(:Checkpoint) } AS checkpoints
