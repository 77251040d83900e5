// Purpose: the units of a job that a worker has.
// Parameters: $job, $worker
MATCH (u:Unit {job: $job})
WHERE u.worker = $worker AND u.status = 'running'
RETURN properties(u) AS unit, u.rank AS rank
ORDER BY rank
