// Purpose: what stands where in a series: each checkpoint with the names of its results, none of which is read.
// Parameters: $model
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)
OPTIONAL MATCH (c)-[h:HAS_SPECTRUM]->(s:Spectrum)
RETURN c.rank AS rank, c.step AS step, c.revision AS revision, c.status AS status, c.error AS error,
  c.sentence AS sentence, s.id AS id, s.options_hash AS options_hash, s.method_version AS method_version,
  h.serial AS serial, h.notes AS notes
