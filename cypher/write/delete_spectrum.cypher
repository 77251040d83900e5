// Purpose: delete a spectrum that no checkpoint has any more.
// Parameters: $id
MATCH (s:Spectrum {id: $id})
WHERE COUNT { (s)<-[:HAS_SPECTRUM]-(:Checkpoint) } = 0
DETACH DELETE s
