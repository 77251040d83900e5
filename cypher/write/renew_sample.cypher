// Purpose: prove that a writer still holds a sample, and lengthen its lease.
// Parameters: $id, $writer, $lease_ms
MATCH (s:Sample {id: $id})
WHERE s.writer = $writer
SET s.lease = timestamp() + $lease_ms
RETURN s.number AS number
