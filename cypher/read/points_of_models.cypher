// Purpose: the newest results of several models over steps, by name alone; their numbers stay where they are.
// Parameters: $models, $options_hashes
UNWIND $models AS model
MATCH (m:Model {id: model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE s.options_hash IN $options_hashes
WITH model, c, s, h ORDER BY h.serial DESC
WITH model, c, s.options_hash AS options_hash, collect(s.id)[0] AS id, collect(coalesce(h.notes, ''))[0] AS notes,
  collect(coalesce(h.serial, 0))[0] AS serial
RETURN model, options_hash, c.step AS step, c.revision AS revision, c.rank AS rank, id, notes, serial
ORDER BY model, rank
