// Purpose: find or make a sample and lock it, to decide who writes it; the clock is the server's.
// Parameters: $id
MERGE (s:Sample {id: $id})
ON CREATE SET s.status = 'new', s.number = 0, s.writer = '', s.lease = 0, s.chunk = 0
SET s.locked = true
WITH s
RETURN s.status AS status, s.number AS number, s.writer AS writer, s.lease AS lease, timestamp() AS now
