// Purpose: the states of some models, which change with every write to their series; none of those that are not there.
// Parameters: $ids
UNWIND $ids AS id
MATCH (m:Model {id: id})
RETURN m.id AS id, m.state AS state
