// Purpose: end the jobs that a command ran in place which is gone.
// Parameters: $sentence
MATCH (j:Job {status: 'running'})
WHERE coalesce(j.in_place, false) AND j.lease < timestamp()
SET j.locked = true
WITH j
WHERE j.status = 'running' AND j.lease < timestamp()
OPTIONAL MATCH (u:Unit {job: j.id})
WHERE u.status = 'running' AND u.lease >= timestamp()
WITH j, count(u) AS live
WHERE live = 0
SET j.status = 'failed', j.message = $sentence, j.finished = timestamp(), j.updated = timestamp()
RETURN j.id AS id
