// Purpose: lengthen the lease of a job and tell how far it is; no row when another worker has it now.
// Parameters: $id, $worker, $lease_ms, $done, $total, $message
MATCH (j:Job {id: $id})
WHERE j.worker = $worker AND j.status = 'running'
SET j.lease = timestamp() + $lease_ms, j.done = $done, j.total = $total, j.message = $message, j.updated = timestamp()
RETURN properties(j) AS job
