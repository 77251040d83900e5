// Purpose: take a sample from a checkpoint, if it has it; tells how many other checkpoints do.
// Parameters: $checkpoint, $id
MATCH (s:Sample {id: $id})
OPTIONAL MATCH (:Checkpoint {id: $checkpoint})-[h:HAS_SAMPLE]->(s)
DELETE h
WITH DISTINCT s
RETURN COUNT { (s)<-[:HAS_SAMPLE]-(:Checkpoint) } AS others
