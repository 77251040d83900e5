// Purpose: say that a checkpoint has this sample; the lock comes first, so that no deleter is overlooked.
// Parameters: $checkpoint, $id, $serial
MATCH (c:Checkpoint {id: $checkpoint})
MATCH (s:Sample {id: $id})
SET s.locked = true
WITH c, s
WHERE s.status = 'complete'
MERGE (c)-[h:HAS_SAMPLE]->(s)
SET h.serial = $serial
RETURN s.id AS id
