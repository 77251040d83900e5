// Purpose: make the units of a job; those that are there stay as they are.
// Parameters: $job, $units
UNWIND $units AS unit
MERGE (u:Unit {id: unit.id})
ON CREATE SET u.job = $job, u.step = unit.step, u.rank = unit.rank, u.revision = unit.revision, u.status = 'queued',
  u.attempts = 0, u.worker = '', u.lease = 0, u.sentence = '', u.read_s = 0.0, u.measure_s = 0.0, u.write_s = 0.0,
  u.bytes_read = 0, u.edges = 0, u.lacks_baseline = false, u.updated = timestamp()
RETURN count(u) AS units
