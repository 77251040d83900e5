"""Slopes, fits and spectra by hand, and the dimension of single neurons."""

import numpy as np
import pytest

from neuromfa.errors import EmptyNetwork, TooFewRadii
from neuromfa.mfa.dimension import (
    DimensionDistribution,
    NodeDimensions,
    dimension_by_row,
    node_dimensions,
    place_on_neurons,
)
from neuromfa.mfa.distance import EdgeTally, RadiusCounts
from neuromfa.mfa.exponent import log_radii, mass_exponent, r_squared, slope_weights, slopes
from neuromfa.mfa.partition import MassTable, Partition, grid_step, grow_boxes, keep_nodes, partition_function
from neuromfa.mfa.spectrum import forward_differences, legendre, multifractal_spectrum
from neuromfa.network import Layer, Part

RADII = np.array([1, 2, 4])
LN2 = np.log(2.0)
# Node 0 has edges at radii 1, 2, 2; node 1 at 2 and 4 (three times); node 2 has a single edge at 4.
COUNTS = np.array([[0, 1, 2, 0, 0], [0, 0, 1, 0, 3], [0, 0, 0, 0, 1]], dtype=np.uint16)


def counted(counts: np.ndarray = COUNTS) -> RadiusCounts:
    return RadiusCounts(counts, (0,), (len(counts),), EdgeTally(), None)


def grow(counts: np.ndarray = COUNTS, *, min_edges: int = 1, grid="union", longest: float = 4.0) -> MassTable:
    return grow_boxes(counted(counts), grid=grid, longest=longest, min_edges=min_edges)


def test_logarithms_of_radii_end_at_0() -> None:
    np.testing.assert_allclose(log_radii(RADII), [-2 * LN2, -LN2, 0.0], atol=1e-15)


def test_slope_weights_by_hand() -> None:
    """x = -2, -1, 0 times ln 2: c = (-1, 0, 1) / (2 ln 2)."""
    np.testing.assert_allclose(slope_weights(RADII), np.array([-1, 0, 1]) / (2 * LN2), atol=1e-15)
    assert slope_weights(np.array([3, 7, 20, 150])).sum() == pytest.approx(0.0, abs=1e-15)


def test_slopes_of_lines_are_exact_whatever_the_offset() -> None:
    x = log_radii(RADII)
    lines = np.array([5 + 3 * x, -2 - 0.5 * x, 7 + 0 * x])
    np.testing.assert_allclose(slopes(lines, radii=RADII), [3.0, -0.5, 0.0], atol=1e-14)
    np.testing.assert_array_equal(mass_exponent(lines, radii=RADII), slopes(lines, radii=RADII))


def test_r_squared_by_hand() -> None:
    """y = 0, 0, 3 on an even grid: mean 1, slope 1.5 a step; residuals .5, -1, .5; 1 - 1.5 / 6 = .75."""
    values = np.array([[0.0, 0.0, 3.0], [1.0, 2.0, 3.0], [4.0, 4.0, 4.0 + 1e-13]])
    found = r_squared(values, radii=RADII)
    assert found[0] == pytest.approx(0.75, abs=1e-14)
    assert found[1] == pytest.approx(1.0, abs=1e-14)
    assert found[2] is None


def test_r_squared_tells_small_but_real_variance() -> None:
    assert r_squared(np.array([[0.0, 1e-9, 2e-9]]), radii=RADII)[0] == pytest.approx(1.0, abs=1e-6)


def test_kept_nodes_have_more_edges_than_asked() -> None:
    assert keep_nodes(COUNTS, min_edges=2).tolist() == [True, True, False]
    assert keep_nodes(COUNTS, min_edges=3).tolist() == [False, True, False]
    with pytest.raises(EmptyNetwork, match=r"none of 3 neurons has more than 4 .*best connected has 4"):
        keep_nodes(COUNTS, min_edges=4)


def test_masses_by_hand() -> None:
    found = grow()
    assert found.kept.tolist() == [True, True, False]
    assert found.grown.tolist() == [[1, 2, 4, 4, 4], [1, 1, 2, 2, 5]]
    assert found.radii.tolist() == found.observed.tolist() == [1, 2, 4]
    assert found.masses.tolist() == [[2, 4, 4], [1, 2, 5]]
    assert COUNTS.tolist()[0] == [0, 1, 2, 0, 0]
    assert found.grown.dtype == COUNTS.dtype


def test_radii_are_those_of_kept_nodes_only() -> None:
    assert grow(np.array([[0, 3, 3, 0, 0], [0, 0, 0, 0, 1]])).radii.tolist() == [1, 2]


def test_masses_without_the_node_itself() -> None:
    found = grow_boxes(counted(), grid="union", longest=4.0, min_edges=0, count_self=False)
    assert found.grown.tolist() == [[0, 1, 3, 3, 3], [0, 0, 1, 1, 4], [0, 0, 0, 0, 1]]


@pytest.mark.parametrize(("longest", "last"), [(40.0, 40), (40.7, 40), (41.0, 41)])
def test_the_fixed_grid_is_every_whole_radius_from_20(longest: float, last: int) -> None:
    counts = np.zeros((1, 42), dtype=np.uint16)
    counts[0, [3, 30]] = 2
    found = grow(counts, grid="fixed", longest=longest)
    assert found.radii.tolist() == list(range(20, last + 1))
    assert found.observed.tolist() == [3, 30]
    assert found.masses[0, :11].tolist() == [3] * 10 + [5]


def test_one_radius_is_too_few() -> None:
    with pytest.raises(TooFewRadii, match="all edges of the 1 kept neurons round to distance 3"):
        grow(np.array([[0, 0, 0, 7], [0, 0, 1, 0]]))


def test_partition_function_by_hand() -> None:
    """Masses 2 4 4 and 1 2 5: mu = 1/2 1 1 and 1/5 2/5 1."""
    found = partition_function(grow().masses, q=np.array([-1.0, 0.0, 2.0]))
    z = [[2 + 5, 1 + 2.5, 2], [2, 2, 2], [0.25 + 0.04, 1 + 0.16, 2]]
    np.testing.assert_allclose(np.exp(found.log_z), z, rtol=1e-14)
    at_two = (0.25 * np.log(0.5) + 0.04 * np.log(0.2)) / 0.29
    assert found.mean_log_mu[2, 0] == pytest.approx(at_two, rel=1e-14)
    np.testing.assert_allclose(found.mean_log_mu[1], [np.log(0.1) / 2, np.log(0.4) / 2, 0.0], atol=1e-15)


@pytest.mark.parametrize(
    ("q", "step"),
    [
        (np.arange(-30, 31) / 10, 0.1),
        (np.array([0.0, 0.5]), 0.5),
        (np.array([-4.0, -2.0, 0.0]), 2.0),
        (np.array([1.0, 2.0, 3.0]), None),
        (np.array([-1.0, 0.0, 1.5]), None),
        (np.array([-1.0, 0.0, 1.0 + 1e-6]), None),
        (np.array([-1e-9, 0.0, 2e-9]), None),
        (np.array([0.0]), None),
    ],
)
def test_step_of_an_even_grid(q: np.ndarray, step: float | None) -> None:
    assert grid_step(q) == (None if step is None else pytest.approx(step, rel=1e-12))


def test_spectrum_of_both_profiles_by_hand() -> None:
    """tau = -1, 0, 3 at q = -2, 0, 1 and tau' = 1, 2, 4, given over two radii a factor e apart."""
    radii, q = np.array([1.0, np.e]), np.array([-2.0, 0.0, 1.0])
    partition = Partition(
        np.array([[1.0, 0.0], [0.0, 0.0], [-3.0, 0.0]]), -np.array([[1.0, 0], [2.0, 0], [4.0, 0]])
    )
    exact = multifractal_spectrum(partition, q=q, radii=radii, profile="exact")
    np.testing.assert_allclose(exact.tau, [-1.0, 0.0, 3.0], atol=1e-15)
    np.testing.assert_allclose(exact.alpha, [1.0, 2.0, 4.0], atol=1e-15)
    np.testing.assert_allclose(exact.f, [-2.0 + 1.0, 0.0, 4.0 - 3.0], atol=1e-14)
    assert exact.width == pytest.approx(-3.0)
    paper = multifractal_spectrum(partition, q=q, radii=radii, profile="paper")
    np.testing.assert_allclose(paper.alpha, [0.5, 3.0], atol=1e-15)
    np.testing.assert_allclose(paper.f, [-2 * 0.5 + 1.0, 0.0], atol=1e-15)
    assert paper.alpha_q.tolist() == [-2.0, 0.0] and paper.width == pytest.approx(2.5)
    for found in (exact, paper):
        assert found.alpha0 == pytest.approx(2.0, abs=1e-15)
        assert found.alpha0_tie == pytest.approx((3.0, 0.5), abs=1e-15)


def test_differences_and_legendre() -> None:
    q = np.array([0.0, 0.5, 2.0])
    np.testing.assert_array_equal(forward_differences(np.array([1.0, 2.0, 5.0]), q=q), [2.0, 2.0])
    np.testing.assert_array_equal(
        legendre(np.array([1.0, 2.0, 5.0]), q=q, alpha=np.array([3.0, 3.0, 3.0])), [-1.0, -0.5, 1.0]
    )


def test_node_dimensions_by_hand() -> None:
    """Node 0: masses 2 4 4 over 1 2 4, slope (ln 4 - ln 2) / (2 ln 2) = 1/2; its own radii 1 2 give slope 1.

    Node 1: masses 1 2 5, slope ln 5 / (2 ln 2); its own radii 2 4 give ln(5/2) / ln 2.
    """
    found = node_dimensions(grow())
    np.testing.assert_allclose(found.nfd, [0.5, np.log(5) / (2 * LN2)], atol=1e-14)
    np.testing.assert_allclose(found.nfd_own, [1.0, np.log(2.5) / LN2], atol=1e-14)


def test_a_node_with_one_radius_has_no_slope_of_its_own() -> None:
    found = node_dimensions(grow(min_edges=0))
    assert np.isnan(found.nfd_own).tolist() == [False, False, True]
    assert np.isfinite(found.nfd).all()


def test_own_radii_do_not_depend_on_the_grid() -> None:
    counts = np.zeros((2, 61), dtype=np.uint16)
    counts[0, [3, 30, 60]], counts[1, [25, 50]] = 2, 3
    union, fixed = grow(counts, longest=60.0), grow(counts, grid="fixed", longest=60.0)
    np.testing.assert_array_equal(node_dimensions(union).nfd_own, node_dimensions(fixed).nfd_own)
    assert not np.allclose(node_dimensions(union).nfd, node_dimensions(fixed).nfd)


def layers_of(*rows: tuple[str, int]) -> list[Layer]:
    return [Layer(0, row, (Part("unit", np.arange(size)),)) for row, size in rows]


def test_dimensions_are_placed_on_their_neurons() -> None:
    layers = layers_of(("input", 2), ("qkv", 3), ("mlp", 2))
    values = NodeDimensions(np.array([1.5, 2.5]), np.array([3.5, np.nan]))
    placed = place_on_neurons(
        values, kept=np.array([False, True, True, False]), sources=[0, 2], layers=layers
    )
    np.testing.assert_array_equal(placed.nfd[0], [np.nan, 1.5])
    np.testing.assert_array_equal(placed.nfd[1], [np.nan] * 3)
    np.testing.assert_array_equal(placed.nfd[2], [2.5, np.nan])
    np.testing.assert_array_equal(placed.nfd_own[0], [np.nan, 3.5])
    np.testing.assert_array_equal(placed.nfd_own[2], [np.nan, np.nan])


def test_distribution_by_row() -> None:
    layers = layers_of(("input", 3), ("qkv", 2), ("input", 2))
    values = [np.array([1.0, 2.0, np.nan]), np.full(2, np.nan), np.array([3.0, 4.0])]
    (found,) = dimension_by_row(values, layers=layers)
    assert found == DimensionDistribution(
        "input", 4, 2.5, pytest.approx(np.sqrt(1.25)), pytest.approx((1.15, 1.75, 2.5, 3.25, 3.85))
    )
