// Purpose: let a sample go that was not finished, so that nobody has to wait for the end of the lease.
// Parameters: $id, $writer
MATCH (s:Sample {id: $id})
WHERE s.writer = $writer
SET s.lease = 0
