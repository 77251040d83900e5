"""The method: multifractal analysis of neuron interaction networks, one formula a file, numpy and scipy only."""
