// Purpose: queue those units of a job again that are not done, or have no E because the baseline failed.
// Parameters: $job
MATCH (u:Unit {job: $job})
WHERE u.status <> 'done' OR u.lacks_baseline
SET u.status = 'queued', u.attempts = 0, u.worker = '', u.lease = 0, u.sentence = '', u.lacks_baseline = false,
  u.updated = timestamp()
RETURN count(u) AS units
