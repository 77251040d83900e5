// Purpose: which analyses a checkpoint has, in the order they were written.
// Parameters: $checkpoint
MATCH (:Checkpoint {id: $checkpoint})-[h:HAS_SPECTRUM]->(s:Spectrum)
RETURN s.id AS id, s.profile AS profile, s.hops AS hops, s.options_hash AS options_hash, h.serial AS serial
ORDER BY serial
