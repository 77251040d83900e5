// Purpose: delete a checkpoint without samples, and the spectra that no other checkpoint has.
// Parameters: $id
MATCH (c:Checkpoint {id: $id})
OPTIONAL MATCH (c)-[:HAS_SPECTRUM]->(s:Spectrum)
WITH c, [s IN collect(s) WHERE COUNT { (s)<-[:HAS_SPECTRUM]-(:Checkpoint) } = 1] AS only
FOREACH (s IN only | DETACH DELETE s)
DETACH DELETE c
