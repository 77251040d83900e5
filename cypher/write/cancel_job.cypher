// Purpose: cancel a job: at once when it waits, at its worker's next word when it runs, not at all when it is over.
// Parameters: $id
MATCH (j:Job {id: $id})
SET j.locked = true
WITH j
SET j.cancelling = CASE WHEN j.status IN ['queued', 'running'] THEN true ELSE j.cancelling END,
  j.finished = CASE WHEN j.status = 'queued' THEN timestamp() ELSE j.finished END,
  j.updated = CASE WHEN j.status IN ['queued', 'running'] THEN timestamp() ELSE j.updated END
SET j.status = CASE WHEN j.status = 'queued' THEN 'cancelled' ELSE j.status END
RETURN properties(j) AS job
