// Purpose: end the leases that a worker has on a job; for one that is known to be gone.
// Parameters: $job, $worker
MATCH (j:Job {id: $job})
SET j.locked = true, j.lease = CASE WHEN j.worker = $worker THEN 0 ELSE j.lease END
WITH j
MATCH (u:Unit {job: $job})
WHERE u.worker = $worker AND u.status = 'running'
SET u.lease = 0
RETURN count(u) AS units
