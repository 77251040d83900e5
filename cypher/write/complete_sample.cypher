// Purpose: show a sample to readers, once its counts and sums are right.
// Parameters: $id, $writer
MATCH (s:Sample {id: $id})
WHERE s.writer = $writer
SET s.status = 'complete', s.writer = '', s.lease = 0
RETURN s.number AS number
