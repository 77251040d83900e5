// Purpose: the multifractal spectrum of one step as a table: q, tau(q), alpha(q), f(q).
// Parameters: $model = 'stdlib-14m', $step = 2000, $profile = 'exact'
// Look for: f at its highest, 0, where q = 0; alpha there is alpha0.
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(c:Checkpoint {step: $step})
MATCH (c)-[h:HAS_SPECTRUM]->(s:Spectrum {profile: $profile})
WITH s ORDER BY h.serial DESC LIMIT 1
UNWIND range(0, size(s.alpha_q) - 1) AS i
RETURN s.alpha_q[i] AS q, s.tau[i] AS tau, s.alpha[i] AS alpha, s.f[i] AS f
ORDER BY q
LIMIT 401
