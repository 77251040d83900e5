// Purpose: where the numbers of one step come from: revision, sampled weights, options, hashes.
// Parameters: $model = 'stdlib-14m', $step = 2000, $seed = 0
// Look for: graph and checksum; the same graph hash is never written twice, and a reader proves the checksum.
MATCH (m:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint {step: $step})-[:HAS_SAMPLE]->(s:Sample {seed: $seed})
WITH m, c, s ORDER BY s.number DESC LIMIT 1
OPTIONAL MATCH (c)-[h:HAS_SPECTRUM]->(spectrum:Spectrum {options_hash: s.options_hash})
WITH m, c, s, spectrum ORDER BY h.serial DESC LIMIT 1
UNWIND [['source', m.source], ['revision', c.revision], ['architecture', s.architecture],
  ['architecture file (sha256)', s.architecture_hash], ['dtype of the weights', s.dtype], ['seed', s.seed],
  ['neurons a row', s.nodes], ['row rule', s.row_rule], ['neurons', s.n_neurons], ['relationships', s.n_edges],
  ['edges beyond the range of the store', s.beyond], ['graph (hash of its content)', s.id],
  ['checksum of all columns', s.checksum], ['analysis (hash)', spectrum.id], ['options', spectrum.options]] AS fact
RETURN fact[0] AS what, fact[1] AS value
LIMIT 40
