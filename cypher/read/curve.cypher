// Purpose: a page of the newest numbers of one analysis over steps; the whole records stay where they are.
// Parameters: $model, $options_hash, $after, $limit
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE c.rank > $after AND s.options_hash = $options_hash
WITH c, s, h ORDER BY h.serial DESC
WITH c, collect(s)[0] AS newest, collect(coalesce(h.notes, ''))[0] AS notes,
  collect(coalesce(h.serial, 0))[0] AS serial
RETURN c.step AS step, c.revision AS revision, c.rank AS rank, newest.id AS id, newest.summary AS summary, notes,
  serial
ORDER BY rank
LIMIT $limit
