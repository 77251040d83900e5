// Purpose: give a model a new state, in the transaction that changes anything of its series.
// Parameters: $id, $state
MATCH (m:Model {id: $id})
SET m.state = $state
