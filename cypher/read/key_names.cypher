// Purpose: names of neurons by their keys.
// Parameters: $keys
UNWIND $keys AS key
MATCH (n:Neuron {key: key})
RETURN collect(key) AS key, collect(n.name) AS name
