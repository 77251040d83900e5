"""Flags: each raised and not raised, on numbers on both sides of its limit."""

from dataclasses import replace

import numpy as np
import pytest

from neuromfa import mfa
from neuromfa.mfa import diagnostics
from neuromfa.mfa.diagnostics import (
    has_coverage_shift,
    has_few_layers,
    has_few_nodes,
    has_single_scale_leverage,
    has_whole_layer,
    is_non_concave,
    is_poor_fit,
    merge_flags,
)
from neuromfa.mfa.distance import EdgeTally, RadiusCounts
from neuromfa.mfa.partition import grow_boxes, partition_function
from neuromfa.mfa.spectrum import MultifractalSpectrum, multifractal_spectrum
from neuromfa.options import AnalysisOptions
from neuromfa.results import NodeCount

from .networks import graph_of_distances, network_of, stored, transformer

Q = np.array([k / 10 for k in range(-30, 31)])
EXACT = AnalysisOptions()


def spectrum(*, alpha: list[float], f: list[float]) -> MultifractalSpectrum:
    empty = np.zeros(len(alpha))
    return MultifractalSpectrum(empty, empty, empty, np.array(alpha), np.array(f), 1.0, (1.0, 1.0), 1.0)


@pytest.mark.parametrize(
    ("alpha", "f", "raised"),
    [
        ([2.0, 1.5, 1.0], [-1.0, 0.0, -1.0], False),
        ([2.0, 1.5, 1.0], [-1.0, 2e-9, -1.0], True),
        ([2.0, 1.5, 1.0], [-1.0, 0.5e-9, -1.0], False),
        ([2.0, 1.5, 1.0], [-1.0, 1e-9, -1.0], False),
        ([1.0, 0.0, 1e-9], [-1.0, 0.0, -1.0], False),
        ([2.0, 1.5, 1.5 + 2e-9], [-1.0, 0.0, -1.0], True),
        ([2.0, 1.5, 1.5 + 0.5e-9], [-1.0, 0.0, -1.0], False),
    ],
)
def test_non_concave_tau(alpha: list[float], f: list[float], raised: bool) -> None:
    assert is_non_concave(spectrum(alpha=alpha, f=f)) is raised


def test_a_network_with_a_convex_tau_is_flagged() -> None:
    """Nodes alike at the smallest radius and apart near the largest: ln Z is bent where the slope counts it up."""
    early, late = [2.0] * 3 + [100.0] * 28, [2.0] * 3 + [150.0] * 28
    found = mfa.measure(network_of([1 / np.array([early, late]).T]), EXACT)
    assert (np.diff(found.tau, n=2) > 1e-9).any()
    assert "non_concave_tau" in found.flags and "few_nodes" in found.flags


def test_few_nodes() -> None:
    assert has_few_nodes(29) and not has_few_nodes(30)
    weights = 1 / np.random.default_rng(0).uniform(2, 140, (40, 30))
    assert "few_nodes" not in mfa.measure(network_of([weights]), EXACT).flags
    assert "few_nodes" in mfa.measure(network_of([weights[:, :29]]), EXACT).flags


def test_poor_fit() -> None:
    assert is_poor_fit([0.9, 0.79, None]) and not is_poor_fit([0.9, 0.8, None])
    network = transformer(blocks=1, nodes=64, std_in=0.2, std_out=0.2)
    found = mfa.measure(network, EXACT)
    assert min(found.r_squared.values()) < 0.8
    assert "poor_fit" in found.flags


def leverage(counts: list[list[int]], *, profile="exact") -> bool:
    table = grow_boxes(
        RadiusCounts(np.array(counts), (0,), (len(counts),), EdgeTally(), None),
        grid="union",
        longest=1e6,
        min_edges=0,
    )
    partition = partition_function(table.masses, q=Q)
    found = multifractal_spectrum(partition, q=Q, radii=table.radii, profile=profile)
    return has_single_scale_leverage(table, partition, found, profile=profile)


SPREAD = [[0, 0, 0, 0, 0, 0, 9, 9, 1, 9], [0, 0, 0, 0, 0, 0, 1, 3, 9, 9], [0, 0, 0, 0, 0, 0, 2, 5, 5, 20]]


@pytest.mark.parametrize("profile", ["exact", "paper"])
@pytest.mark.parametrize(("edges", "raised"), [(1, True), (2, True), (3, False), (9, False)])
def test_single_scale_leverage_by_edges_at_the_first_radius(edges: int, raised: bool, profile) -> None:
    counts = [row.copy() for row in SPREAD]
    counts[0][1] = edges
    assert leverage(counts, profile=profile) is raised


def test_single_scale_leverage_needs_a_width_that_moves() -> None:
    """Equal nodes have no width with the first radius or without it."""
    assert not leverage([[0, 1, 0, 5, 7]])
    assert leverage([[0, 1, 0, 0, 5, 7], [0, 0, 0, 0, 9, 1]])


def test_single_scale_leverage_needs_more_than_a_twentieth_of_the_width() -> None:
    """Two edges at the first radius, and a width of 1.0 that stays within 5 % without them."""
    assert not leverage(
        [
            [0, 1, 4, 1, 1, 5, 1, 1, 3, 4, 3, 5, 0],
            [0, 0, 2, 3, 2, 2, 2, 0, 0, 3, 2, 5, 1],
            [0, 0, 5, 1, 0, 1, 2, 1, 5, 4, 4, 2, 0],
        ]
    )


def test_single_scale_leverage_is_about_the_width_of_the_profile() -> None:
    """Without its first radius the width of one profile moves less than 5 %, that of the other more."""
    counts = [
        [0, 1, 5, 2, 2, 1, 2, 3, 2, 2, 1, 0, 0],
        [0, 0, 4, 1, 0, 4, 3, 1, 2, 3, 2, 4, 2],
        [0, 0, 4, 0, 2, 3, 3, 4, 0, 5, 2, 1, 1],
    ]
    assert (leverage(counts, profile="exact"), leverage(counts, profile="paper")) == (False, True)
    graph = graph_of_distances([np.repeat(np.arange(13.0) * 2, row) for row in counts])
    for profile, raised in (("exact", False), ("paper", True)):
        found = mfa.measure_graph(graph, AnalysisOptions(profile=profile, min_edges=0))
        assert ("single_scale_leverage" in found.flags) is raised


def test_with_two_radii_the_edges_decide() -> None:
    assert leverage([[0, 2, 0, 9]]) and not leverage([[0, 3, 0, 9]])


def test_one_outlier_among_many_weights_raises_the_flag() -> None:
    network = transformer(blocks=3, nodes=32, std_in=0.05, std_out=0.05)
    weights = network.links[0].weights.copy()
    assert "single_scale_leverage" not in mfa.measure(network, replace(EXACT, grid="fixed")).flags
    weights[3, 5] = 1.2
    links = [replace(network.links[0], weights=weights), *network.links[1:]]
    assert "single_scale_leverage" in mfa.measure(replace(network, links=links), EXACT).flags


def test_coverage_shift() -> None:
    half = NodeCount(50, 100)
    assert not has_coverage_shift(NodeCount(60, 100), baseline=half)
    assert not has_coverage_shift(NodeCount(40, 100), baseline=half)
    assert has_coverage_shift(NodeCount(61, 100), baseline=half)
    assert not has_coverage_shift(NodeCount(10, 100), baseline=NodeCount(0, 100))
    assert has_coverage_shift(NodeCount(78, 200), baseline=half)


def test_few_layers() -> None:
    def layers(blocks: int):
        return transformer(blocks=blocks, nodes=2, std_in=1, std_out=1).layers

    assert has_few_layers(layers(2)) and not has_few_layers(layers(3))
    assert (
        "few_layers"
        not in mfa.measure(transformer(blocks=1, nodes=32, std_in=0.05, std_out=0.05), EXACT).flags
    )


def test_whole_layer() -> None:
    weights = 1 / np.random.default_rng(0).uniform(2, 140, (40, 40))
    sampled, whole = network_of([weights]), network_of([weights], whole=True)
    everything = network_of([weights], whole=True, nodes=None)
    assert [has_whole_layer(network) for network in (sampled, whole, everything)] == [False, True, False]
    assert "whole_layer" in mfa.measure(whole, EXACT).flags
    assert "whole_layer" in mfa.measure_graph(stored(whole), EXACT).flags


def test_flags_of_a_checkpoint_are_those_of_any_sample_in_one_order() -> None:
    found = merge_flags([("whole_layer", "few_nodes"), (), ("poor_fit", "few_nodes")], coverage_shift=False)
    assert found == ["few_nodes", "poor_fit", "whole_layer"]
    assert merge_flags([()], coverage_shift=True) == ["coverage_shift"]
    assert merge_flags([], coverage_shift=False) == []
    assert diagnostics.FLAGS == (
        "non_concave_tau",
        "few_nodes",
        "poor_fit",
        "single_scale_leverage",
        "coverage_shift",
        "few_layers",
        "whole_layer",
    )
