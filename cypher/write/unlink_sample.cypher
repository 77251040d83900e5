// Purpose: take a sample from a checkpoint; tells how many other checkpoints still have it.
// Parameters: $checkpoint, $id
MATCH (:Checkpoint {id: $checkpoint})-[h:HAS_SAMPLE]->(s:Sample {id: $id})
DELETE h
WITH s
RETURN COUNT { (s)<-[:HAS_SAMPLE]-(:Checkpoint) } AS others
