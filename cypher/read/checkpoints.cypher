// Purpose: a page of the checkpoints of a model, or of those of some steps, by step.
// Parameters: $model, $after, $last, $limit
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)
WHERE c.rank > $after AND c.rank <= $last
RETURN c.id AS id, c.step AS step, c.revision AS revision, c.rank AS rank,
  c.status AS status, c.error AS error, c.sentence AS sentence,
  COUNT { (c)-[:HAS_SPECTRUM]->(:Spectrum) } AS spectra,
  COUNT { (c)-[:HAS_SAMPLE]->(:Sample {status: 'complete'}) } AS samples
ORDER BY rank
LIMIT $limit
