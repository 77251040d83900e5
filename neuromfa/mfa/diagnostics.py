"""Flags: what in a network or in a fit should make a reader careful with its numbers."""

from collections.abc import Sequence

import numpy as np

from neuromfa.mfa.partition import MassTable, Partition
from neuromfa.mfa.spectrum import MultifractalSpectrum, multifractal_spectrum
from neuromfa.network import SNIN, Layer, SampleGraph
from neuromfa.options import Profile
from neuromfa.results import NodeCount

NON_CONCAVE_TAU = "non_concave_tau"
FEW_NODES = "few_nodes"
POOR_FIT = "poor_fit"
SINGLE_SCALE_LEVERAGE = "single_scale_leverage"
COVERAGE_SHIFT = "coverage_shift"
FEW_LAYERS = "few_layers"
WHOLE_LAYER = "whole_layer"
FLAGS = (
    NON_CONCAVE_TAU,
    FEW_NODES,
    POOR_FIT,
    SINGLE_SCALE_LEVERAGE,
    COVERAGE_SHIFT,
    FEW_LAYERS,
    WHOLE_LAYER,
)

ROUNDING = 1e-9
ENOUGH_NODES = 30
GOOD_FIT = 0.8
ENOUGH_EDGES = 3
LEVERAGE = 0.05
COVERAGE_POINTS = 0.10
ENOUGH_BLOCKS = 3


def is_non_concave(spectrum: MultifractalSpectrum) -> bool:
    """Return whether f is above 0 or alpha rises anywhere, beyond 1e-9 (ours)."""
    rises = np.diff(spectrum.alpha) > ROUNDING
    return bool((spectrum.f > ROUNDING).any() or rises.any())


def has_few_nodes(n_kept: int) -> bool:
    """Return whether fewer than 30 nodes were kept (ours)."""
    return n_kept < ENOUGH_NODES


def is_poor_fit(r_squared: Sequence[float | None]) -> bool:
    """Return whether any of the lines explains less than .8 of the variance (ours)."""
    return any(share is not None and share < GOOD_FIT for share in r_squared)


def has_single_scale_leverage(
    table: MassTable, partition: Partition, spectrum: MultifractalSpectrum, *, profile: Profile
) -> bool:
    """Return whether the smallest radius alone carries the width (ours).

    True where r_1 rests on fewer than 3 edges of the sample **and** the width moves more than 5 % without it.
    With two radii nothing is left without it, and the first condition decides.
    """
    start = table.grown[:, 0].sum(dtype=np.int64)
    edges = int(table.grown[:, table.radii[0]].sum(dtype=np.int64) - start)
    if edges >= ENOUGH_EDGES or table.radii.size < 3:
        return edges < ENOUGH_EDGES
    without = Partition(partition.log_z[:, 1:], partition.mean_log_mu[:, 1:])
    width = multifractal_spectrum(without, q=spectrum.q, radii=table.radii[1:], profile=profile).width
    return abs(width - spectrum.width) > max(LEVERAGE * abs(spectrum.width), ROUNDING)


def has_coverage_shift(nodes: NodeCount, *, baseline: NodeCount) -> bool:
    """Return whether the kept share differs more than 10 points from the baseline's (ours)."""
    return abs(nodes.kept / nodes.total - baseline.kept / baseline.total) > COVERAGE_POINTS


def merge_flags(by_sample: Sequence[Sequence[str]], *, coverage_shift: bool) -> list[str]:
    """Return the flags of a checkpoint: those that any sample raises, in the order of `FLAGS`."""
    raised = {flag for flags in by_sample for flag in flags} | ({COVERAGE_SHIFT} if coverage_shift else set())
    return [flag for flag in FLAGS if flag in raised]


def has_few_layers(layers: Sequence[Layer]) -> bool:
    """Return whether a multi-hop measure has fewer than 3 blocks to walk through (ours)."""
    return len({layer.block for layer in layers[:-1]}) < ENOUGH_BLOCKS


def has_whole_layer(network: SNIN | SampleGraph) -> bool:
    """Return whether a sample of S neurons took all neurons of some layer, because it has no more (ours)."""
    return network.provenance.nodes is not None and any(layer.whole for layer in network.layers)
