// Purpose: the numbers of results by their names; the whole records stay where they are.
// Parameters: $ids
UNWIND $ids AS id
MATCH (s:Spectrum {id: id})
RETURN id, s.summary AS summary
ORDER BY id
