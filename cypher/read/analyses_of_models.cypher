// Purpose: the different sets of options several models were analysed with, of each the one served by default first.
// Parameters: $models
UNWIND $models AS model
MATCH (m:Model {id: model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WITH model, s.options_hash AS options_hash, min(s.options) AS options, min(s.method_version) AS method_version,
  count(DISTINCT c.rank) AS checkpoints, max(h.serial) AS serial
RETURN model, options_hash, options, method_version, checkpoints, serial
ORDER BY model, checkpoints DESC, serial DESC
