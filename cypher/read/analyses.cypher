// Purpose: the different sets of options a model was analysed with, the one that is served by default first.
// Parameters: $model
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WITH s.options_hash AS options_hash, min(s.options) AS options, min(s.method_version) AS method_version,
  count(DISTINCT c.rank) AS checkpoints, max(h.serial) AS serial
RETURN options_hash, options, method_version, checkpoints, serial
ORDER BY checkpoints DESC, serial DESC
