// Purpose: the spectra of a checkpoint with all that is said of them, in the order they were written.
// Parameters: $checkpoint
MATCH (:Checkpoint {id: $checkpoint})-[h:HAS_SPECTRUM]->(s:Spectrum)
RETURN s.id AS id, properties(s) AS properties, h.serial AS serial
ORDER BY serial
