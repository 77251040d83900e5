// Purpose: give a result what it lacks, or what it holds now.
// Parameters: $id, $properties
MATCH (s:Spectrum {id: $id})
SET s += $properties
