// Purpose: mark an empty store as ours before anything else is written to it.
// Parameters: none
MERGE (v:SchemaVersion {id: 'neuromfa'})
ON CREATE SET v.version = 0
RETURN v.version AS version
