// Purpose: record that all migrations up to this version are done; never a step back.
// Parameters: $version
MATCH (v:SchemaVersion {id: 'neuromfa'})
SET v.version = CASE WHEN v.version < $version THEN $version ELSE v.version END
