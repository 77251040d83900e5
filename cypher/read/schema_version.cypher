// Purpose: which version of the schema a store has; more than one mark is what two starts at once once left.
// Parameters: none
MATCH (v:SchemaVersion {id: 'neuromfa'})
RETURN min(v.version) AS version, max(v.version) AS newest, count(v) AS marks
