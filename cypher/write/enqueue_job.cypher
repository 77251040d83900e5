// Purpose: put a job into the queue; harmless when the driver repeats it.
// Parameters: $id, $request, $identity, $priority, $serial
MERGE (j:Job {id: $id})
ON CREATE SET j.status = 'queued', j.request = $request, j.serial = $serial, j.created = timestamp(), j.lease = 0,
  j.updated = timestamp(), j.worker = '', j.attempts = 0, j.done = 0, j.total = 0, j.message = '', j.cancelling = false,
  j.identity = $identity, j.priority = $priority, j.failed = 0
RETURN properties(j) AS job
