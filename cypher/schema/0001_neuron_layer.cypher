// Purpose: the neurons of one layer of one sample by one index seek.
// Parameters: none
// The layer stands first: no two indexes may begin with the same property, or ArcadeDB may take the wrong one.
CREATE INDEX neuron_layer IF NOT EXISTS FOR (n:Neuron) ON (n.layer, n.sample)
