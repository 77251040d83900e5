// Purpose: keep what was read of a checkpoint, under the keys of its files.
// Parameters: $checkpoint, $seen
MATCH (c:Checkpoint {id: $checkpoint})
SET c.seen = $seen
RETURN c.id AS id
