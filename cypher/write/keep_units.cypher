// Purpose: lengthen the leases of all units that a worker has; a row for each that is still its own.
// Parameters: $ids, $worker, $lease_ms
UNWIND $ids AS id
MATCH (u:Unit {id: id})
WHERE u.worker = $worker AND u.status = 'running'
SET u.lease = timestamp() + $lease_ms
RETURN u.id AS id
