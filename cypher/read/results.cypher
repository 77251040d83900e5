// Purpose: all spectra of a model's checkpoints of one profile and kind of hops, newest last within a checkpoint.
// Parameters: $model, $profile, $hops, $options_hash
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE ($profile IS NULL OR s.profile = $profile) AND ($hops IS NULL OR s.hops = $hops)
  AND ($options_hash IS NULL OR s.options_hash = $options_hash)
RETURN c.step AS step, c.revision AS revision, s.document AS document, s.options AS options, c.rank AS rank,
  h.serial AS serial
ORDER BY rank, serial
