"""One sample measured: Algorithms 2 to 4 in order, and what stands beside their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.errors import EmptyNetwork, OptionError
from neuromfa.mfa import diagnostics
from neuromfa.mfa.dimension import node_dimensions, place_on_neurons
from neuromfa.mfa.distance import EdgeTally, RadiusCounts, count_graph_radii, count_radii, range_rule
from neuromfa.mfa.exponent import r_squared
from neuromfa.mfa.multihop import radius_histogram
from neuromfa.mfa.partition import MassTable, Partition, grow_boxes, partition_function
from neuromfa.mfa.shape import in_shape
from neuromfa.mfa.spectrum import MultifractalSpectrum, multifractal_spectrum
from neuromfa.network import SNIN, BoolArray, FloatArray, IntArray, Layer, NeuronMeasures, SampleGraph
from neuromfa.options import AnalysisOptions
from neuromfa.results import NodeCount

# Moments at which the quality of the fit is told, whatever the grid of q.
R_SQUARED_AT = (-3.0, -1.0, 1.0, 3.0)


@dataclass(frozen=True, eq=False)
class SampleMeasure:
    """Everything measured on one seed.

    Attributes
    ----------
    seed : seed of the draws
    q, tau : float64 arrays of shape (n_q,)
    alpha_q, alpha, f : float64 arrays of shape (n_q,) in profile exact, (n_q - 1,) in profile paper
    alpha0, alpha0_tie, width : see `MultifractalSpectrum`
    nodes_kept, nodes_total : nodes of the analysis
    kept_by_layer : the same by row name
    radii : int64 array of shape (m,), common radii
    n_edges : edges in range of kept nodes (pairs in range at several hops): what the masses count
    edges_in_range : weighted edges in range of all nodes
    dropped : weighted edges by reason; within_one is a loss in profile paper only
    r_squared : by moment; None where ln Z does not vary
    flags : names in the order of `diagnostics.FLAGS`, coverage_shift not among them
    measures : node fractal dimensions, on every neuron of the network
    rms : root mean square of the finite weights before any scaling; None from a stored graph
    dropped_last_rows : sources left out near the end of the network (several hops)
    """

    seed: int
    q: FloatArray
    tau: FloatArray
    alpha_q: FloatArray
    alpha: FloatArray
    f: FloatArray
    alpha0: float
    alpha0_tie: tuple[float, float]
    width: float
    nodes_kept: int
    nodes_total: int
    kept_by_layer: Mapping[str, NodeCount]
    radii: IntArray
    n_edges: int
    edges_in_range: int
    dropped: Mapping[str, int]
    r_squared: Mapping[str, float | None]
    flags: tuple[str, ...]
    measures: NeuronMeasures
    rms: float | None
    dropped_last_rows: int = 0


@dataclass(frozen=True, eq=False)
class _Fit:
    """The stages of one analysis."""

    table: MassTable
    partition: Partition
    spectrum: MultifractalSpectrum
    r_squared: Mapping[str, float | None]


def measure(network: SNIN, options: AnalysisOptions, *, rms_ratio: float | None = None) -> SampleMeasure:
    """Measure one sampled or whole network.

    Parameters
    ----------
    network : each of its links is taken once, in order
    options : what is measured
    rms_ratio : rms(t) / rms(baseline), by which weights are divided; goes with `options.rms_scaled`

    Raises
    ------
    EmptyNetwork : no neuron has enough edges in range
    TooFewRadii : all edges round to one distance
    OptionError : `rms_ratio` and `options.rms_scaled` do not go together
    """
    counts = radius_counts(network, options, rescale=_rescale(options, rms_ratio))
    return _sample(counts, network, options)


def measure_graph(
    graph: SampleGraph, options: AnalysisOptions, *, rms_ratio: float | None = None
) -> SampleMeasure:
    """Measure a stored graph: the same floats as `measure` on the network it was written from.

    Weights that are no edge (zero, nan, inf) were not written and are counted as 0; `rms` is None.

    Raises
    ------
    OptionError : the range asked for is longer than what was written
    """
    counts = _graph_counts(graph, options, _rescale(options, rms_ratio))
    return _sample(counts, graph, options)


def _rescale(options: AnalysisOptions, rms_ratio: float | None) -> float:
    if options.rms_scaled != (rms_ratio is not None):
        raise OptionError(
            "rms_scaled needs rms_ratio = rms(t) / rms(baseline), and rms_ratio needs rms_scaled"
        )
    if rms_ratio is not None and not 0.0 < rms_ratio < np.inf:
        raise OptionError(
            f"rms_ratio is a number above 0, not {rms_ratio}: one of the networks has no weights"
        )
    return 1.0 if rms_ratio is None else rms_ratio


def radius_counts(
    network: SNIN, options: AnalysisOptions, *, rescale: float = 1.0, scale_of: SNIN | None = None
) -> RadiusCounts:
    """Count what the masses of `options` count; `scale_of` gives the scales of profile shape, see `in_shape`."""
    rule = range_rule(options)
    if options.profile == "shape":
        network = in_shape(network, scale_of=scale_of)
    if options.over_paths:
        return radius_histogram(
            network,
            gamma=options.gamma,
            rule=rule,
            scale=options.scale,
            rescale=rescale,
            horizon=options.horizon,
        )
    return count_radii(network, scale=options.scale, rule=rule, rescale=rescale)


def _graph_counts(graph: SampleGraph, options: AnalysisOptions, rescale: float) -> RadiusCounts:
    if options.profile == "shape":
        raise OptionError(
            "profile shape scales each matrix by all its weights, and a stored graph holds those in range only: "
            "measure the checkpoint"
        )
    rule = range_rule(options)
    if options.over_paths:
        return radius_histogram(
            graph, gamma=options.gamma, rule=rule, rescale=rescale, horizon=options.horizon
        )
    return count_graph_radii(graph, rule=rule, rescale=rescale)


def _grow(counts: RadiusCounts, options: AnalysisOptions) -> MassTable:
    _require_numbers(counts.tally)
    return grow_boxes(counts, grid=options.grid, longest=options.max_distance, min_edges=options.min_edges)


def _require_numbers(tally: EdgeTally) -> None:
    """Raise `EmptyNetwork` where no weight is a number, which no range could mend."""
    if tally.nan + tally.inf and not tally.in_range + tally.zero + tally.within_one + tally.beyond_range:
        raise EmptyNetwork(
            f"no sampled weight is a finite number ({tally.nan:,} NaN, {tally.inf:,} infinite): the training had "
            "diverged, or the file is broken"
        )
    if tally.zero and not tally.in_range + tally.within_one + tally.beyond_range:
        raise EmptyNetwork(
            f"all {tally.zero:,} sampled weights that are finite are zero: the file was not written to its end, or it "
            "holds no trained model"
        )


def _fit(table: MassTable, options: AnalysisOptions) -> _Fit:
    """Take the partition function at the moments of the options and at those of R2, and fit the former."""
    q = np.asarray(options.q)
    moments = np.union1d(q, R_SQUARED_AT)
    full = partition_function(table.masses, q=moments)
    asked, told = np.isin(moments, q), np.isin(moments, R_SQUARED_AT)
    partition = Partition(full.log_z[asked], full.mean_log_mu[asked])
    spectrum = multifractal_spectrum(partition, q=q, radii=table.radii, profile=options.profile)
    shares = r_squared(full.log_z[told], radii=table.radii)
    names = [f"{moment:g}" for moment in R_SQUARED_AT]
    return _Fit(table, partition, spectrum, dict(zip(names, shares, strict=True)))


def _sample(counts: RadiusCounts, network: SNIN | SampleGraph, options: AnalysisOptions) -> SampleMeasure:
    table = _grow(counts, options)
    fit = _fit(table, options)
    spectrum = fit.spectrum
    measures = place_on_neurons(
        node_dimensions(table), kept=table.kept, sources=counts.layers, layers=network.layers
    )
    start = table.grown[:, 0].sum(dtype=np.int64)
    return SampleMeasure(
        seed=network.provenance.seed,
        q=spectrum.q,
        tau=spectrum.tau,
        alpha_q=spectrum.alpha_q,
        alpha=spectrum.alpha,
        f=spectrum.f,
        alpha0=spectrum.alpha0,
        alpha0_tie=spectrum.alpha0_tie,
        width=spectrum.width,
        nodes_kept=len(table.grown),
        nodes_total=table.kept.size,
        kept_by_layer=_kept_by_row(table.kept, counts, network.layers),
        radii=table.radii,
        n_edges=int(table.grown[:, -1].sum(dtype=np.int64) - start),
        edges_in_range=counts.tally.in_range,
        dropped=counts.tally.dropped,
        r_squared=fit.r_squared,
        flags=_flags(fit, network, options),
        measures=measures,
        rms=counts.rms,
        dropped_last_rows=counts.dropped_last_rows,
    )


def _flags(fit: _Fit, network: SNIN | SampleGraph, options: AnalysisOptions) -> tuple[str, ...]:
    raised = {
        diagnostics.NON_CONCAVE_TAU: diagnostics.is_non_concave(fit.spectrum),
        diagnostics.FEW_NODES: diagnostics.has_few_nodes(len(fit.table.grown)),
        diagnostics.POOR_FIT: diagnostics.is_poor_fit(list(fit.r_squared.values())),
        diagnostics.SINGLE_SCALE_LEVERAGE: diagnostics.has_single_scale_leverage(
            fit.table, fit.partition, fit.spectrum, profile=options.profile
        ),
        diagnostics.FEW_LAYERS: options.over_paths and diagnostics.has_few_layers(network.layers),
        diagnostics.WHOLE_LAYER: diagnostics.has_whole_layer(network),
    }
    return tuple(flag for flag in diagnostics.FLAGS if raised.get(flag))


def _kept_by_row(kept: BoolArray, counts: RadiusCounts, layers: Sequence[Layer]) -> dict[str, NodeCount]:
    """Return kept and total nodes by row name, in the order rows appear."""
    rows: dict[str, NodeCount] = {}
    start = 0
    for k, size in zip(counts.layers, counts.sizes, strict=True):
        row, before = layers[k].row, rows.get(layers[k].row, NodeCount(0, 0))
        n_kept = int(np.count_nonzero(kept[start : start + size]))
        rows[row] = NodeCount(before.kept + n_kept, before.total + size)
        start += size
    return rows
