// Purpose: the options some results were measured with, by the names of their analyses.
// Parameters: $ids
UNWIND $ids AS id
MATCH (s:Spectrum {id: id})
RETURN s.options_hash AS options_hash, s.options AS options
