// Purpose: give a result of an older schema what it lacks.
// Parameters: $id, $properties
MATCH (s:Spectrum {id: $id})
SET s += $properties
