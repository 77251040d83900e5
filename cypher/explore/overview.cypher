// Purpose: what the store holds of one model: its checkpoints, their spectra and their stored samples.
// Parameters: $model = 'stdlib-14m'
// Look for: one spectrum and one sample at every step; double-click a sample's seed to see where it came from.
MATCH (m:Model {id: $model})-[has:HAS_CHECKPOINT]->(c:Checkpoint)
WITH m, has, c ORDER BY c.step LIMIT 40
OPTIONAL MATCH (c)-[measured:HAS_SPECTRUM]->(spectrum:Spectrum)
OPTIONAL MATCH (c)-[drawn:HAS_SAMPLE]->(sample:Sample {status: 'complete'})
RETURN m, has, c, measured, spectrum, drawn, sample
LIMIT 200
