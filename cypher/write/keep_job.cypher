// Purpose: lengthen the lease of a job and nothing else; no row when another worker has it now.
// Parameters: $id, $worker, $lease_ms
MATCH (j:Job {id: $id})
WHERE j.worker = $worker AND j.status = 'running'
SET j.lease = timestamp() + $lease_ms
RETURN properties(j) AS job
