// Purpose: take a job if it is still free; the lock comes first, so that of two workers one wins.
// Parameters: $id, $worker, $lease_ms
MATCH (j:Job {id: $id})
SET j.locked = true
WITH j
WHERE j.status = 'queued' OR (j.status = 'running' AND j.lease < timestamp())
SET j.status = 'running', j.worker = $worker, j.attempts = j.attempts + 1, j.lease = timestamp() + $lease_ms,
  j.started = timestamp(), j.updated = timestamp()
RETURN properties(j) AS job
