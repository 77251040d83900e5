// Purpose: a job that waits or runs and asks for the same, the oldest first.
// Parameters: $identity
MATCH (j:Job)
WHERE j.status IN ['queued', 'running'] AND j.identity = $identity AND NOT j.cancelling
RETURN properties(j) AS job, j.serial AS serial
ORDER BY serial
LIMIT 1
