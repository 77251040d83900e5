// Purpose: a page of the newest whole results of one analysis, by step.
// Parameters: $model, $options_hash, $after, $limit
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE c.rank > $after AND s.options_hash = $options_hash
WITH c, s, h ORDER BY h.serial DESC
WITH c, collect(s)[0] AS newest, collect(coalesce(h.notes, ''))[0] AS notes
RETURN c.step AS step, c.revision AS revision, c.rank AS rank, newest.document AS document, notes
ORDER BY rank
LIMIT $limit
