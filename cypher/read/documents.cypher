// Purpose: whole results by the names of their analyses.
// Parameters: $ids
UNWIND $ids AS id
MATCH (s:Spectrum {id: id})
RETURN s.id AS id, s.document AS document
