// Purpose: say of a checkpoint's result what only the other steps can tell.
// Parameters: $checkpoint, $id, $notes
MATCH (:Checkpoint {id: $checkpoint})-[h:HAS_SPECTRUM]->(:Spectrum {id: $id})
SET h.notes = $notes
