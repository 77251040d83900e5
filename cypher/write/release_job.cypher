// Purpose: put a job back at its place in the queue, for a worker that stops before it is done.
// Parameters: $id, $worker
MATCH (j:Job {id: $id})
WHERE j.worker = $worker AND j.status = 'running'
SET j.status = 'queued', j.worker = '', j.lease = 0, j.attempts = j.attempts - 1, j.updated = timestamp()
RETURN properties(j) AS job
