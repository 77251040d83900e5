// Purpose: tell whether the store holds anything at all; only asked of a store without a schema version.
// Parameters: none
MATCH (n)
RETURN labels(n) AS labels
LIMIT 1
