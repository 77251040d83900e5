// Purpose: take the results of one analysis from the checkpoints of a model.
// Parameters: $model, $options_hash
MATCH (:Model {id: $model})-[:HAS_CHECKPOINT]->(:Checkpoint)-[h:HAS_SPECTRUM]->(s:Spectrum)
WHERE s.options_hash = $options_hash
WITH h, s.id AS id
DELETE h
RETURN id
