// Purpose: a neuron of one sample by its readable name.
// Parameters: none
CREATE INDEX neuron_name IF NOT EXISTS FOR (n:Neuron) ON (n.name, n.sample)
