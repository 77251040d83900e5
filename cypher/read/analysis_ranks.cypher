// Purpose: the ranks of the checkpoints that have a result of one analysis.
// Parameters: $model, $options_hash
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[:HAS_SPECTRUM]->(s:Spectrum)
WHERE s.options_hash = $options_hash
RETURN DISTINCT c.rank AS rank
ORDER BY rank
