// Purpose: one checkpoint.
// Parameters: $id
MATCH (c:Checkpoint {id: $id})
RETURN c.id AS id, c.step AS step, c.revision AS revision, c.rank AS rank,
  c.status AS status, c.error AS error, c.sentence AS sentence,
  COUNT { (c)-[:HAS_SPECTRUM]->(:Spectrum) } AS spectra,
  COUNT { (c)-[:HAS_SAMPLE]->(:Sample {status: 'complete'}) } AS samples
