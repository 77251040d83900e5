// Purpose: delete the node of a sample whose neurons are gone.
// Parameters: $id, $writer
MATCH (s:Sample {id: $id})
WHERE s.writer = $writer
DETACH DELETE s
