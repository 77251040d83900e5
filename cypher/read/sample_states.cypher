// Purpose: number and status of samples by their hashes: whether those that were read are still there.
// Parameters: $ids
UNWIND $ids AS id
MATCH (s:Sample {id: id})
RETURN s.id AS id, s.number AS number, s.status AS status
ORDER BY id
