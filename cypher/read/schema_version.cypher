// Purpose: which tool wrote this store, and with which version of the schema.
// Parameters: none
MATCH (v:SchemaVersion {id: 'neuromfa'})
RETURN v.version AS version
