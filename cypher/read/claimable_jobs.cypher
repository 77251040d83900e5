// Purpose: the jobs that wait for a worker or have units, or whose worker let its lease run out; the most urgent first.
// Parameters: $limit
MATCH (j:Job)
WHERE j.status IN ['queued', 'running']
WITH j
WHERE NOT coalesce(j.in_place, false) AND (j.status = 'queued' OR j.lease < timestamp())
RETURN j.id AS id, j.serial AS serial, coalesce(j.priority, 0) AS priority
ORDER BY priority DESC, serial
LIMIT $limit
