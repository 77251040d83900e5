// Purpose: a page of the models, by id.
// Parameters: $after, $limit
MATCH (m:Model)
WHERE m.id > $after
WITH m ORDER BY m.id LIMIT $limit
RETURN m.id AS id, properties(m) AS properties, COUNT { (m)-[:HAS_CHECKPOINT]->(:Checkpoint) } AS checkpoints
ORDER BY id
