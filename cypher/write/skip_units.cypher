// Purpose: leave out the units of a job that have not begun, or whose worker is gone; say why.
// Parameters: $job, $sentence
MATCH (u:Unit {job: $job})
WHERE u.status IN ['queued', 'running']
SET u.status = 'skipped', u.sentence = $sentence, u.worker = '', u.lease = 0, u.updated = timestamp()
RETURN count(u) AS units
