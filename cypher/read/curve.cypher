// Purpose: a page of the newest results of one analysis over steps, by name alone; the records stay where they are.
// Parameters: $model, $options_hash, $after, $limit
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE c.rank > $after AND s.options_hash = $options_hash
WITH c, s.id AS id, h ORDER BY h.serial DESC
WITH c, collect(id)[0] AS id, collect(coalesce(h.notes, ''))[0] AS notes,
  collect(coalesce(h.serial, 0))[0] AS serial
RETURN c.step AS step, c.revision AS revision, c.rank AS rank, id, notes, serial
ORDER BY rank
LIMIT $limit
