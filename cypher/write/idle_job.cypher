// Purpose: let a job that nobody works on any more wait again.
// Parameters: $id
MATCH (j:Job {id: $id})
SET j.locked = true
WITH j
WHERE j.status = 'running' AND coalesce(j.listed, false) AND j.lease < timestamp()
OPTIONAL MATCH (u:Unit {job: $id})
WHERE u.status = 'running' AND u.lease >= timestamp()
WITH j, count(u) AS live
WHERE live = 0
SET j.status = 'queued', j.updated = timestamp()
RETURN properties(j) AS job
