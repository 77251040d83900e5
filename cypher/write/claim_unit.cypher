// Purpose: take the first unit of a job that is free; its job is locked first, so that of two workers one wins.
// Parameters: $job, $worker, $lease_ms
MATCH (j:Job {id: $job})
SET j.locked = true
WITH j
WHERE j.status IN ['queued', 'running'] AND NOT j.cancelling
MATCH (u:Unit {job: $job})
WHERE u.status = 'queued' OR (u.status = 'running' AND u.lease < timestamp())
WITH j, u
ORDER BY u.rank
LIMIT 1
SET u.locked = true
WITH j, u
WHERE u.status = 'queued' OR (u.status = 'running' AND u.lease < timestamp())
SET j.status = 'running', u.status = 'running',
  u.attempts = u.attempts + CASE WHEN u.worker = $worker THEN 0 ELSE 1 END
SET u.worker = $worker, u.lease = timestamp() + $lease_ms, u.updated = timestamp()
RETURN properties(u) AS unit
