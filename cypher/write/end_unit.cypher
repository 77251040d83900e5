// Purpose: end a unit with what it took; no row when another worker has it now.
// Parameters: $id, $worker, $status, $facts
MATCH (u:Unit {id: $id})
SET u.locked = true
WITH u
WHERE u.worker = $worker AND u.status IN ['running', $status]
SET u += $facts
SET u.status = $status, u.lease = 0, u.updated = timestamp()
RETURN properties(u) AS unit
