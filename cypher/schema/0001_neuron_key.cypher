// Purpose: one Neuron per key, and one index seek to find it.
// Parameters: none
CREATE CONSTRAINT neuron_key IF NOT EXISTS FOR (n:Neuron) REQUIRE n.key IS UNIQUE
