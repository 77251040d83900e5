// Purpose: a page of the checkpoints of a model, by step.
// Parameters: $model, $after, $limit
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)
WHERE c.rank > $after
RETURN c.id AS id, c.step AS step, c.revision AS revision, c.rank AS rank,
  c.status AS status, c.error AS error, c.sentence AS sentence,
  COUNT { (c)-[:HAS_SPECTRUM]->(:Spectrum) } AS spectra,
  COUNT { (c)-[:HAS_SAMPLE]->(:Sample {status: 'complete'}) } AS samples
ORDER BY rank
LIMIT $limit
