// Purpose: the newest result of one checkpoint in one analysis.
// Parameters: $checkpoint, $options_hash
MATCH (c:Checkpoint {id: $checkpoint})-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE s.options_hash = $options_hash
RETURN c.step AS step, c.revision AS revision, s.document AS document, h.notes AS notes, h.serial AS serial
ORDER BY serial DESC
LIMIT 1
