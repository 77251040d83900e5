// Purpose: the newest result of a checkpoint, of one set of options where asked, with what it came from.
// Parameters: $model, $checkpoint, $options_hash
MATCH (m:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint {id: $checkpoint})-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE $options_hash IS NULL OR s.options_hash = $options_hash
WITH m, c, h, s ORDER BY h.serial DESC LIMIT 1
RETURN m.source AS source, c.step AS step, c.revision AS revision, s.id AS analysis_hash, s.options_hash AS options_hash,
  s.options AS options, s.document AS document, h.notes AS notes
