// Purpose: make a spectrum the newest of a checkpoint.
// Parameters: $checkpoint, $id, $serial
MATCH (c:Checkpoint {id: $checkpoint})
MATCH (s:Spectrum {id: $id})
MERGE (c)-[h:HAS_SPECTRUM]->(s)
SET h.serial = $serial
RETURN s.id AS id
