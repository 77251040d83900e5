// Purpose: the different sets of options a model was analysed with.
// Parameters: $model
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WITH s.options_hash AS options_hash, s.profile AS profile, s.hops AS hops, s.options AS options,
  count(*) AS checkpoints, max(h.serial) AS serial
RETURN options_hash, profile, hops, options, checkpoints, serial
ORDER BY serial DESC
