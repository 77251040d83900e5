// Purpose: keep the manifest of a sample being written, so that whoever cleans up knows its layers.
// Parameters: $id, $writer, $properties
MATCH (s:Sample {id: $id})
WHERE s.writer = $writer
SET s += $properties
RETURN s.number AS number
