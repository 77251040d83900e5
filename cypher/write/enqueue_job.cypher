// Purpose: put a job at the end of the queue; harmless when the driver repeats it.
// Parameters: $id, $request, $serial
MERGE (j:Job {id: $id})
ON CREATE SET j.status = 'queued', j.request = $request, j.serial = $serial, j.created = timestamp(), j.lease = 0,
  j.updated = timestamp(), j.worker = '', j.attempts = 0, j.done = 0, j.total = 0, j.message = '', j.cancelling = false
RETURN properties(j) AS job
