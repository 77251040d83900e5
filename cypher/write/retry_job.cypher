// Purpose: put a job that is over into the queue again, behind the others; no row when it is not over or went well.
// Parameters: $id, $request, $identity, $serial
MATCH (j:Job {id: $id})
SET j.locked = true
WITH j
WHERE j.status IN ['failed', 'cancelled'] OR (j.status = 'done' AND coalesce(j.failed, 0) > 0)
SET j.status = 'queued', j.request = $request, j.identity = $identity, j.serial = $serial, j.lease = 0,
  j.updated = timestamp(), j.worker = '', j.attempts = 0, j.endings = 0, j.done = 0, j.total = 0, j.message = '',
  j.failed = 0, j.cancelling = false, j.in_place = false, j.reading = null
RETURN properties(j) AS job
