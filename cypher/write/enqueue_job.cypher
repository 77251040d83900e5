// Purpose: put a job into the queue, or begin one in place for a worker; harmless when the driver repeats it.
// Parameters: $id, $request, $identity, $priority, $serial, $worker, $lease_ms
MERGE (j:Job {id: $id})
ON CREATE SET j.status = CASE WHEN $worker = '' THEN 'queued' ELSE 'running' END, j.request = $request,
  j.serial = $serial, j.created = timestamp(), j.updated = timestamp(), j.worker = $worker, j.attempts = 0,
  j.lease = CASE WHEN $worker = '' THEN 0 ELSE timestamp() + $lease_ms END, j.in_place = ($worker <> ''),
  j.done = 0, j.total = 0, j.message = '', j.cancelling = false, j.identity = $identity, j.priority = $priority,
  j.failed = 0, j.listed = false
RETURN properties(j) AS job
