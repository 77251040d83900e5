// Purpose: the newest spectrum of one checkpoint of one profile and kind of hops.
// Parameters: $checkpoint, $profile, $hops, $options_hash
MATCH (c:Checkpoint {id: $checkpoint})-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE ($profile IS NULL OR s.profile = $profile) AND ($hops IS NULL OR s.hops = $hops)
  AND ($options_hash IS NULL OR s.options_hash = $options_hash)
RETURN c.step AS step, c.revision AS revision, s.document AS document, s.options AS options, h.serial AS serial
ORDER BY serial DESC
LIMIT 1
