// Purpose: how the steps of a series were read in one analysis, newest last within a step.
// Parameters: $model, $options_hash
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE s.options_hash = $options_hash AND s.reading IS NOT NULL
RETURN c.id AS checkpoint, c.step AS step, c.rank AS rank, s.id AS id, s.reading AS reading,
  coalesce(h.notes, '') AS notes, h.serial AS serial
ORDER BY rank, serial
