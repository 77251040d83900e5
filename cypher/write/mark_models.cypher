// Purpose: give every model of an older store a state.
// Parameters: $state
MATCH (m:Model)
WHERE m.state IS NULL
SET m.state = $state
