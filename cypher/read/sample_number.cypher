// Purpose: number and layout of a sample in any state, for those who write or clean up.
// Parameters: $id
MATCH (s:Sample {id: $id})
RETURN s.number AS number, s.status AS status, s.writer AS writer, s.chunk AS chunk, s.layout AS layout
