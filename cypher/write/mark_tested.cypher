// Purpose: say of a complete sample that all its neurons were tested against chance, and by which analysis.
// Parameters: $id, $options_hash, $draws
MATCH (s:Sample {id: $id})
WHERE s.status = 'complete'
SET s.tested = $options_hash, s.test_draws = $draws
RETURN s.number AS number
