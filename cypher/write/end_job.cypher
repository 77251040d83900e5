// Purpose: end a job as done, failed or cancelled; no row when another worker has it now.
// Parameters: $id, $worker, $status, $message, $failed
MATCH (j:Job {id: $id})
WHERE j.worker = $worker AND j.status IN ['running', $status]
SET j.status = $status, j.message = $message, j.failed = $failed, j.lease = 0, j.updated = timestamp(),
  j.finished = timestamp()
RETURN properties(j) AS job
