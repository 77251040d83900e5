// Purpose: how many units of each status jobs have, when one of them last changed, and the first of them.
// Parameters: $jobs
UNWIND $jobs AS job
MATCH (u:Unit {job: job})
RETURN job, u.status AS status, count(u) AS units, max(u.updated) AS updated, min(u.rank) AS first
ORDER BY job, status
