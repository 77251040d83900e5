// Purpose: what was read of one checkpoint, under the keys of its files.
// Parameters: $checkpoint
MATCH (c:Checkpoint {id: $checkpoint})
RETURN c.seen AS seen
