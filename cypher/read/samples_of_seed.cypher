// Purpose: the manifests of all complete samples of one seed of a model, by step, the newest last.
// Parameters: $model, $seed
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WHERE s.status = 'complete'
RETURN properties(s) AS properties, c.step AS step, c.revision AS revision, c.rank AS rank, s.number AS number
ORDER BY rank, number
