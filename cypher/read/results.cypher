// Purpose: a page of the newest whole results of one analysis, by step.
// Parameters: $model, $options_hash, $after, $limit
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE c.rank > $after AND s.options_hash = $options_hash
WITH c, s.id AS id, h ORDER BY h.serial DESC
WITH c, collect(id)[0] AS id, collect(coalesce(h.notes, ''))[0] AS notes
ORDER BY c.rank
LIMIT $limit
MATCH (s:Spectrum {id: id})
RETURN c.step AS step, c.revision AS revision, c.rank AS rank, s.document AS document, notes
ORDER BY rank
