// Purpose: the degree of emergence E, alpha0 and width of every step, what shuffled weights give, and the verdict.
// Parameters: $model = 'stdlib-14m', $profile = 'exact'
// Look for: structure, which says whether weights hold more than scale explains; E and E_shuffled are both mixtures.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum {profile: $profile})
WITH c, s ORDER BY h.serial DESC
WITH c, head(collect(s)) AS s
RETURN c.step AS step, round(s.emergence, 4) AS E, round(s.emergence_low, 4) AS low,
  round(s.emergence_high, 4) AS high, round(s.shuffled_emergence, 4) AS E_shuffled,
  round(s.alpha0, 4) AS alpha0, round(s.width, 4) AS width,
  round(s.excess_alpha0, 4) AS excess_alpha0, round(s.g, 3) AS g, s.structure AS structure
ORDER BY step
LIMIT 200
