// Purpose: one job.
// Parameters: $id
MATCH (j:Job {id: $id})
RETURN properties(j) AS job
