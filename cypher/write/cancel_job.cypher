// Purpose: cancel a job: at once when nobody works on it and it may be, else within one unit; not when it is over.
// Parameters: $id, $at_once
MATCH (j:Job {id: $id})
SET j.locked = true
WITH j
OPTIONAL MATCH (u:Unit {job: $id})
WHERE u.status = 'running' AND u.lease >= timestamp()
WITH j, count(u) AS live, j.status IN ['queued', 'running'] AS open
WITH j, open, $at_once AND open AND live = 0 AND (j.status = 'queued' OR j.lease < timestamp()) AS idle
SET j.cancelling = CASE WHEN open THEN true ELSE j.cancelling END,
  j.finished = CASE WHEN idle THEN timestamp() ELSE j.finished END,
  j.updated = CASE WHEN open THEN timestamp() ELSE j.updated END,
  j.status = CASE WHEN idle THEN 'cancelled' ELSE j.status END
RETURN properties(j) AS job
