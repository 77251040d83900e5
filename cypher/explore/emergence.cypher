// Purpose: the degree of emergence E, alpha0 and width of every step, with the interval of E and E of shuffled weights.
// Parameters: $model = 'stdlib-14m', $profile = 'exact'
// Look for: how much of E the shuffled weights show as well; that part is growth of weights, not structure.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum {profile: $profile})
WITH c, s ORDER BY h.serial DESC
WITH c, head(collect(s)) AS s
RETURN c.step AS step, round(s.emergence, 4) AS E, round(s.emergence_low, 4) AS low,
  round(s.emergence_high, 4) AS high, round(s.shuffled_emergence, 4) AS E_shuffled,
  round(s.alpha0, 4) AS alpha0, round(s.width, 4) AS width
ORDER BY step
LIMIT 200
