// Purpose: what stands beside the numbers of every step: flags, coverage, and E of the three null models.
// Parameters: $model = 'stdlib-14m', $profile = 'exact'
// Look for: coverage_shift, which says that E compares different sets of neurons.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum {profile: $profile})
WITH c, s ORDER BY h.serial DESC
WITH c, head(collect(s)) AS s
RETURN c.step AS step, s.flags AS flags, s.nodes_kept AS neurons_kept, s.nodes_total AS neurons,
  round(s.emergence, 4) AS E, round(s.shuffled_emergence, 4) AS E_shuffled,
  round(s.gaussian_emergence, 4) AS E_gaussian, round(s.rescaled_emergence, 4) AS E_rescaled,
  s.edges_beyond_range AS edges_beyond_range, s.edges_zero AS zero_weights
ORDER BY step
LIMIT 200
