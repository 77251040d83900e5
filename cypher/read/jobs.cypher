// Purpose: the newest jobs before a serial number, with one status or any (null).
// Parameters: $before, $status, $limit
MATCH (j:Job)
WHERE j.serial < $before AND ($status IS NULL OR j.status = $status)
RETURN properties(j) AS job
ORDER BY j.serial DESC
LIMIT $limit
