// Purpose: the manifests of a checkpoint's stored samples, newest last within a seed.
// Parameters: $checkpoint
MATCH (:Checkpoint {id: $checkpoint})-[h:HAS_SAMPLE]->(s:Sample)
WHERE s.status = 'complete'
RETURN properties(s) AS properties, s.seed AS seed, coalesce(h.serial, s.number) AS serial
ORDER BY seed, serial
