// Purpose: some results of an older schema, which lack their summary and the version of their method.
// Parameters: $limit
MATCH (s:Spectrum)
WHERE s.method_version IS NULL
RETURN s.id AS id, s.document AS document
LIMIT $limit
