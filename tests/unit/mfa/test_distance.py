"""Eq. 1 by hand: distances, radii, range, tally, and the columns a store writes."""

import warnings

import numpy as np
import pytest

from neuromfa.mfa.distance import (
    EdgeTally,
    Moments,
    RangeRule,
    count_graph_radii,
    count_radii,
    edge_distances,
    edge_radii,
    edges_of,
    range_rule,
    rms_of,
    second_moment,
    tally_edges,
    tiles,
)
from neuromfa.network import ARTIFICIAL_DISTANCE, SNIN, Link
from neuromfa.options import AnalysisOptions

from .networks import network_of, stored

UP = np.nextafter
EXACT, PAPER = RangeRule(longest=150.0), RangeRule(longest=150.0, shortest=1.0)


def test_distance_is_lambda_over_the_weight() -> None:
    weights = np.array([[0.5, -0.25], [4.0, 1e-3]])
    np.testing.assert_array_equal(edge_distances(weights, scale=1.0), [[2.0, 4.0], [0.25, 1000.0]])
    np.testing.assert_array_equal(edge_distances(weights, scale=3.0), [[6.0, 12.0], [0.75, 3000.0]])
    np.testing.assert_array_equal(edge_distances(weights, scale=3.0, rescale=0.5)[0], [3.0, 6.0])
    assert weights[0, 1] == -0.25


def test_what_is_no_edge() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = edge_distances(np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324]), scale=1.0)
        scaled = edge_distances(np.array([0.0, np.nan, np.inf, 1e-300]), scale=1.0, rescale=1e200)
    np.testing.assert_array_equal(found, [np.inf, np.inf, np.nan, 0.0, 0.0, np.inf])
    np.testing.assert_array_equal(scaled, [np.inf, np.nan, 0.0, np.inf])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_weights_are_widened_first(dtype: type) -> None:
    weights = np.array([0.3, 0.0123, 6e-5], dtype=dtype)
    expected = [1.0 / float(w) for w in weights]
    np.testing.assert_array_equal(edge_distances(weights, scale=1.0), expected)


@pytest.mark.parametrize(
    ("distance", "exact", "paper"),
    [
        (5e-324, 1, 0),
        (0.4, 1, 0),
        (1.0, 1, 0),
        (UP(1.0, 2), 1, 1),
        (1.5, 2, 2),
        (2.5, 2, 2),
        (UP(2.5, 3), 3, 3),
        (UP(2.5, 2), 2, 2),
        (3.5, 4, 4),
        (149.5, 150, 150),
        (150.0, 150, 150),
        (UP(150.0, 151), 151, 151),
        (150.5, 151, 151),
        (150.6, 152, 152),
        (1e300, 152, 152),
        (np.inf, 152, 152),
        (np.nan, 151, 151),
        (0.0, 0, 0),
    ],
)
def test_radius(distance: float, exact: int, paper: int) -> None:
    """Half to even, tested for range before rounding; beyond the largest radius, 150, is out of range."""
    assert edge_radii(np.array([distance]), EXACT)[0] == exact
    assert edge_radii(np.array([distance]), PAPER)[0] == paper


@pytest.mark.parametrize(
    ("longest", "unit", "largest"),
    [(150.0, 1.0, 150), (150.5, 1.0, 150), (150.6, 1.0, 151), (0.3, 1.0, 1), (30.0, 0.2, 150)],
)
def test_largest_radius(longest: float, unit: float, largest: int) -> None:
    rule = RangeRule(longest=longest, unit=unit)
    assert rule.largest_radius == largest
    assert edge_radii(np.array([longest]), rule)[0] == largest


def test_range_of_the_profiles() -> None:
    assert range_rule(AnalysisOptions(max_distance=90.0)) == RangeRule(longest=90.0, shortest=0.0)
    assert range_rule(AnalysisOptions(profile="paper")) == PAPER


def test_tally_by_hand() -> None:
    weights = np.array([[0.0, np.nan, np.inf, -np.inf, 2.0], [1.0, 0.5, -0.02, 1 / 150, 1 / 151]])
    distances = edge_distances(weights, scale=1.0)
    found = tally_edges(weights, distances, EXACT)
    assert found == EdgeTally(in_range=5, zero=1, nan=1, inf=2, within_one=2, beyond_range=1)
    assert tally_edges(weights, distances, PAPER) == EdgeTally(
        3, zero=1, nan=1, inf=2, within_one=2, beyond_range=1
    )
    assert found.dropped == {"zero": 1, "nan": 1, "inf": 2, "within_one": 2, "beyond_range": 1}
    twice = EdgeTally(in_range=10, zero=2, nan=2, inf=4, within_one=4, beyond_range=2)
    assert found + found == twice


def two_layers() -> SNIN:
    """2 neurons to 3 by weights, to 2 by wiring, to 1 by weights."""
    first = np.array([[0.5, 0.0], [0.1, 0.005], [2.0, np.nan]])
    return network_of(
        [first, np.array([[True, False, True], [False, True, True]]), np.array([[0.25, 0.004]])]
    )


def test_counts_by_hand() -> None:
    found = count_radii(two_layers(), scale=1.0, rule=RangeRule(longest=220.0))
    assert (found.layers, found.sizes) == ((0, 2), (2, 2))
    assert found.counts.shape == (4, 221)
    filled = {(int(i), int(r)): int(found.counts[i, r]) for i, r in zip(*found.counts.nonzero(), strict=True)}
    assert filled == {(0, 1): 1, (0, 2): 1, (0, 10): 1, (1, 200): 1, (2, 4): 1}
    assert found.tally == EdgeTally(in_range=5, zero=1, nan=1, within_one=1, beyond_range=1)
    squares = [0.25, 0.01, 0.000025, 4.0, 0.0, 0.0625, 0.000016]
    assert found.rms == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-15)
    assert found.dropped_last_rows == 0


def test_counts_of_the_paper_leave_out_strong_links() -> None:
    found = count_radii(two_layers(), scale=1.0, rule=RangeRule(longest=220.0, shortest=1.0))
    assert found.counts[0].sum() == 2 and not found.counts[:, 0].any()


def test_counts_of_a_stored_graph() -> None:
    rule = RangeRule(longest=200.0)
    graph = stored(two_layers(), max_distance=200.0)
    found = count_graph_radii(graph, rule=rule)
    np.testing.assert_array_equal(found.counts, count_radii(two_layers(), scale=1.0, rule=rule).counts)
    assert found.tally == EdgeTally(in_range=5, within_one=1, beyond_range=1)
    assert found.rms is None


def test_edges_as_columns() -> None:
    columns, beyond = edges_of(two_layers(), scale=1.0, max_distance=200.0)
    assert beyond == 1
    first, wired, last = columns
    assert first.source.tolist() == [0, 0, 0, 1]
    assert first.target.tolist() == [0, 1, 2, 1]
    assert first.distance.tolist() == [2.0, 10.0, 0.5, 200.0]
    assert first.weight.tolist() == [0.5, 0.1, 2.0, 0.005]
    assert wired.source.tolist() == [0, 1, 2, 2]
    assert wired.target.tolist() == [0, 1, 0, 1]
    assert set(wired.distance.tolist()) == {ARTIFICIAL_DISTANCE} and np.isnan(wired.weight).all()
    assert (last.size, last.distance.tolist()) == (1, [4.0])
    assert first.weight.dtype == np.float64 and first.source.dtype == np.int64


def test_edges_scaled_and_without_infinite_weights() -> None:
    weights = np.array([[np.inf, 0.5, -0.25, 5e-324, 0.0]], dtype=np.float64)
    columns, beyond = edges_of(network_of([weights]), scale=10.0, max_distance=30.0)
    assert columns[0].distance.tolist() == [20.0]
    assert columns[0].weight.tolist() == [0.5]
    assert beyond == 2


def test_a_link_of_nothing_is_a_mistake() -> None:
    network = two_layers()
    broken = SNIN(network.layers, (Link("empty"), *network.links[1:]), network.artificial, network.provenance)
    with pytest.raises(ValueError, match="link empty has neither weights nor wiring"):
        edges_of(broken, scale=1.0, max_distance=200.0)


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (300, 3), (40_000, 20), (2, 9000), (0, 3), (3, 0)])
def test_tiles_cover_a_matrix_once(shape: tuple[int, int]) -> None:
    seen = np.zeros(shape, dtype=int)
    for sources, tile in tiles(seen):
        assert tile.shape[1] == sources.stop - sources.start
        assert tile.size <= 2**14
        tile += 1
    assert (seen == 1).all()


def test_second_moment_of_finite_weights() -> None:
    assert second_moment(np.array([[3.0, 4.0]])) == Moments(25.0, 2)
    assert second_moment(np.array([[3.0, np.nan, 4.0, -np.inf]])) == Moments(25.0, 2)
    assert second_moment(np.array([1.0, 2.0], dtype=np.float16)) == Moments(5.0, 2)
    assert (Moments(25.0, 2) + Moments(7.0, 6)).root == 2.0
    assert Moments().root is None
    assert second_moment(np.array([1e200])).root is None


def test_rms_leaves_wiring_out() -> None:
    weights = np.full((2, 2), 3.0)
    assert rms_of(network_of([weights, np.ones((2, 2), dtype=np.bool_), -weights])) == 3.0
    assert rms_of(network_of([np.ones((2, 2), dtype=np.bool_)])) is None
