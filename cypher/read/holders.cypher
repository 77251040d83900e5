// Purpose: the workers that have units of a job, alive or not.
// Parameters: $job
MATCH (u:Unit {job: $job})
WHERE u.status = 'running'
RETURN DISTINCT u.worker AS worker
ORDER BY worker
