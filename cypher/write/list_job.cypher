// Purpose: note that the units of a job are made; from then on any worker takes them. No row when another has the job.
// Parameters: $id, $worker, $model
MATCH (j:Job {id: $id})
SET j.locked = true
WITH j
WHERE j.worker = $worker AND j.status = 'running'
SET j.listed = true, j.model = $model, j.updated = timestamp(),
  j.lease = CASE WHEN coalesce(j.in_place, false) THEN j.lease ELSE 0 END
RETURN properties(j) AS job
