// Purpose: put units back that a worker does not end; it did not use up an attempt unless it says why.
// Parameters: $ids, $worker, $sentence
UNWIND $ids AS id
MATCH (u:Unit {id: id})
SET u.locked = true
WITH u
WHERE u.worker = $worker AND u.status = 'running'
SET u.status = 'queued', u.worker = '', u.lease = 0, u.updated = timestamp(), u.sentence = $sentence,
  u.attempts = u.attempts - CASE WHEN $sentence = '' THEN 1 ELSE 0 END
RETURN u.id AS id
