// Purpose: the units of a job after a rank, with one status or any (null).
// Parameters: $job, $after, $status, $limit
MATCH (u:Unit {job: $job})
WHERE u.rank > $after AND ($status IS NULL OR u.status = $status)
RETURN properties(u) AS unit, u.rank AS rank
ORDER BY rank
LIMIT $limit
