// Purpose: take a job to list its units, or to end it once none is open; the lock comes first, so that one wins.
// Parameters: $id, $worker, $lease_ms
MATCH (j:Job {id: $id})
SET j.locked = true
WITH j
WHERE j.status = 'queued' OR (j.status = 'running' AND (j.lease < timestamp() OR j.worker = $worker))
OPTIONAL MATCH (u:Unit {job: $id})
WHERE (u.status = 'queued' AND NOT j.cancelling)
  OR (u.status = 'running' AND (u.lease >= timestamp() OR NOT j.cancelling))
WITH j, count(u) AS open
WHERE open = 0
SET j.status = 'running', j.worker = $worker, j.lease = timestamp() + $lease_ms, j.started = timestamp(),
  j.updated = timestamp(),
  j.attempts = j.attempts + CASE WHEN coalesce(j.listed, false) THEN 0 ELSE 1 END,
  j.endings = coalesce(j.endings, 0) + CASE WHEN coalesce(j.listed, false) THEN 1 ELSE 0 END
RETURN properties(j) AS job
