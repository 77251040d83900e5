// Purpose: mark an empty store as ours; only once the constraint of the mark is there, or two starts make two marks.
// Parameters: none
MERGE (v:SchemaVersion {id: 'neuromfa'})
ON CREATE SET v.version = 0
RETURN v.version AS version
