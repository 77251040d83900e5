// Purpose: the jobs that wait for a worker, or whose worker let its lease run out; the most urgent, then oldest, first.
// Parameters: $limit
MATCH (j:Job)
WHERE j.status IN ['queued', 'running']
WITH j
WHERE j.status = 'queued' OR j.lease < timestamp()
RETURN j.id AS id, j.serial AS serial, coalesce(j.priority, 0) AS priority
ORDER BY priority DESC, serial
LIMIT $limit
