// Purpose: let a chunk in only from the writer that holds the sample, and only once; renews the lease.
// Parameters: $id, $writer, $chunk, $lease_ms
MATCH (s:Sample {id: $id})
WHERE s.writer = $writer AND s.chunk < $chunk
SET s.chunk = $chunk, s.lease = timestamp() + $lease_ms
RETURN s.number AS number
