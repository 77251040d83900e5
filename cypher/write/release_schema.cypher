// Purpose: let the next one migrate at once, whether all of it is done or it failed.
// Parameters: $writer
MATCH (v:SchemaVersion {id: 'neuromfa'})
WHERE v.writer = $writer
SET v.lease = 0
