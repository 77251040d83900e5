// Purpose: become the writer of a sample for the time of a lease.
// Parameters: $id, $writer, $number, $status, $lease_ms
MATCH (s:Sample {id: $id})
SET s.status = $status, s.writer = $writer, s.number = $number, s.chunk = 0, s.lease = timestamp() + $lease_ms
RETURN s.number AS number
