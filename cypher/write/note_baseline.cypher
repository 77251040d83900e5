// Purpose: keep how the baseline of a job was read, for whoever ends it.
// Parameters: $id, $reading
MATCH (j:Job {id: $id})
WHERE j.reading IS NULL
SET j.reading = $reading
RETURN j.id AS id
