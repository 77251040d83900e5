// Purpose: record that all migrations up to this version are done.
// Parameters: $version
MATCH (v:SchemaVersion {id: 'neuromfa'})
SET v.version = $version
