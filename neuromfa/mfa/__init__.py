"""The method: multifractal analysis of neuron interaction networks; one formula a file, numpy and scipy."""

from neuromfa.mfa.diagnostics import FLAGS
from neuromfa.mfa.dimension import DimensionDistribution, dimension_by_row
from neuromfa.mfa.distance import edge_distances, edges_of, graph_of, rms_of
from neuromfa.mfa.emergence import emergence
from neuromfa.mfa.figures import Figures
from neuromfa.mfa.measure import (
    SampleMeasure,
    measure,
    measure_graph,
)
from neuromfa.mfa.nulls import NULL_KINDS, NullKind, null_network
from neuromfa.mfa.paired_draws import Draw, PairedSample, paired_samples
from neuromfa.mfa.partition import partition_function
from neuromfa.mfa.seed_means import (
    EmergenceSummary,
    checkpoint_flags,
    edge_coverage,
    emergence_of,
    mean_alpha0,
    mean_r_squared,
    mean_spectrum,
    mean_width,
    node_coverage,
    null_metrics,
)
from neuromfa.mfa.spectrum import multifractal_spectrum
from neuromfa.mfa.uncertainty import emergence_estimate, mean_curve, mean_estimate

__all__ = [
    "FLAGS",
    "NULL_KINDS",
    "DimensionDistribution",
    "Draw",
    "EmergenceSummary",
    "Figures",
    "NullKind",
    "PairedSample",
    "SampleMeasure",
    "checkpoint_flags",
    "dimension_by_row",
    "edge_coverage",
    "edge_distances",
    "edges_of",
    "emergence",
    "emergence_estimate",
    "emergence_of",
    "graph_of",
    "mean_alpha0",
    "mean_curve",
    "mean_estimate",
    "mean_r_squared",
    "mean_spectrum",
    "mean_width",
    "measure",
    "measure_graph",
    "multifractal_spectrum",
    "node_coverage",
    "null_metrics",
    "null_network",
    "paired_samples",
    "partition_function",
    "rms_of",
]
