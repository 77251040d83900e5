// Purpose: the manifests of a checkpoint's stored samples, newest last within a seed.
// Parameters: $checkpoint
MATCH (:Checkpoint {id: $checkpoint})-[:HAS_SAMPLE]->(s:Sample)
WHERE s.status = 'complete'
RETURN properties(s) AS properties, s.seed AS seed, s.number AS number
ORDER BY seed, number
