// Purpose: the oldest jobs that wait for a worker, or whose worker let its lease run out.
// Parameters: $limit
MATCH (j:Job)
WHERE j.status IN ['queued', 'running']
WITH j
WHERE j.status = 'queued' OR j.lease < timestamp()
RETURN j.id AS id, j.serial AS serial
ORDER BY serial
LIMIT $limit
