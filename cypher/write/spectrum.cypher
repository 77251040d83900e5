// Purpose: make the spectrum of one analysis; the same analysis is never written twice.
// Parameters: $id, $properties
MERGE (s:Spectrum {id: $id})
ON CREATE SET s += $properties
RETURN s.id AS id
