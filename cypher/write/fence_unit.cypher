// Purpose: let a write in only from the worker that has the unit; the lock holds off whoever takes it meanwhile.
// Parameters: $id, $worker
MATCH (u:Unit {id: $id})
SET u.locked = true
WITH u
WHERE u.worker = $worker AND u.status = 'running'
RETURN u.id AS id
