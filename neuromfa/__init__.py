"""NeuroMFA: multifractal analysis of neuron interaction networks, usable from a notebook without any server."""

__version__ = "0.1.0"
