// Purpose: the samples whose writer or deleter let its lease run out.
// Parameters: none
MATCH (s:Sample)
WHERE s.status IN ['loading', 'deleting'] AND s.lease < timestamp()
RETURN s.id AS id, s.status AS status
ORDER BY id
