"""Graphs and measures whose exponents are known: powers, cascades, lattices, a gasket, a Cantor set, small worlds."""

import itertools

import networkx
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from neuromfa.errors import AnalysisError
from neuromfa.mfa.distance import EdgeTally, RadiusCounts
from neuromfa.mfa.partition import MassTable, grow_boxes, partition_function
from neuromfa.mfa.spectrum import MultifractalSpectrum, multifractal_spectrum
from neuromfa.options import Profile

from .networks import counts_of

CLOSE = 1e-12
Q = np.array([k / 10 for k in range(-30, 31)])


def spectrum_of(masses: np.ndarray, radii: np.ndarray, profile: Profile = "exact") -> MultifractalSpectrum:
    """Spectrum of masses at hand."""
    return multifractal_spectrum(partition_function(masses, q=Q), q=Q, radii=radii, profile=profile)


def grow(counts: RadiusCounts, *, count_self: bool = True) -> MassTable:
    """Union grid, every node kept."""
    return grow_boxes(counts, grid="union", longest=1e6, min_edges=0, count_self=count_self)


def hops_of(graph: networkx.Graph) -> np.ndarray:
    """Hop distance of all pairs."""
    return csgraph.shortest_path(networkx.to_scipy_sparse_array(graph, format="csr"), unweighted=True)


@pytest.mark.parametrize("profile", ["exact", "paper"])
@pytest.mark.parametrize("dimension", [0.5, 1, 2, 3.25])
def test_power_law_nodes(dimension: float, profile: Profile) -> None:
    radii = 2 ** np.arange(8)
    found = spectrum_of(np.tile(radii.astype(float) ** dimension, (5, 1)), radii, profile)
    np.testing.assert_allclose(found.tau, dimension * Q, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(found.alpha, dimension, rtol=0, atol=3e-13)
    assert found.alpha0 == pytest.approx(dimension, abs=CLOSE)
    assert found.width == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("whole", [True, False], ids=["whole masses", "real masses"])
@pytest.mark.parametrize(
    ("m0", "m1", "base"), [(0.75, 0.25, 4), (0.5, 0.25, 4), (0.6, 0.4, 5), (0.8, 0.3, 10)]
)
def test_dyadic_cascade(m0: float, m1: float, base: int, whole: bool) -> None:
    depth = 6
    labels = np.array(list(itertools.product([0, 1], repeat=depth)))
    factors = np.where(labels == 0, m0, m1)
    masses = np.stack([base**depth * factors[:, k:].prod(axis=1) for k in range(depth + 1)], axis=1)
    if whole:
        masses = np.rint(masses).astype(np.int64)
    found = spectrum_of(masses, 2 ** np.arange(depth + 1))
    weights = m0**Q + m1**Q
    np.testing.assert_allclose(found.tau, 1 - np.log2(weights), rtol=0, atol=CLOSE)
    alpha = -(m0**Q * np.log2(m0) + m1**Q * np.log2(m1)) / weights
    np.testing.assert_allclose(found.alpha, alpha, rtol=0, atol=CLOSE)
    assert found.alpha0 == pytest.approx(-(np.log2(m0) + np.log2(m1)) / 2, abs=CLOSE)


@pytest.mark.parametrize(
    ("graph", "mass"),
    [
        (networkx.cycle_graph(41), lambda r: 2 * r + 1),
        (networkx.grid_2d_graph(20, 20, periodic=True), lambda r: 2 * r * r + 2 * r + 1),
    ],
    ids=["ring", "torus"],
)
def test_lattices_have_no_width(graph: networkx.Graph, mass) -> None:
    table = grow(counts_of(hops_of(graph)))
    inner = table.radii[table.radii < 10]
    np.testing.assert_array_equal(table.masses[0, : inner.size], [mass(int(r)) for r in inner])
    for profile in ("exact", "paper"):
        found = spectrum_of(table.masses, table.radii, profile)
        assert found.width == pytest.approx(0.0, abs=CLOSE)
        np.testing.assert_allclose(found.alpha, found.alpha0, rtol=0, atol=CLOSE)


def sierpinski(order: int) -> tuple[np.ndarray, list[int]]:
    """Hop distances of a gasket and its corners, grown from a triangle by joining three copies at corners."""
    edges, corners, n = [(0, 1), (1, 2), (0, 2)], [0, 1, 2], 3
    for _ in range(order):
        names = np.arange(3 * n)
        joints = [
            (corners[1], n + corners[0]),
            (corners[2], 2 * n + corners[0]),
            (n + corners[2], 2 * n + corners[1]),
        ]
        for kept, merged in joints:
            names[merged] = kept
        _, compact = np.unique(names, return_inverse=True)
        edges = [(compact[copy * n + a], compact[copy * n + b]) for copy in range(3) for a, b in edges]
        corners = [int(compact[corners[0]]), int(compact[n + corners[1]]), int(compact[2 * n + corners[2]])]
        n = int(compact.max()) + 1
    table = sparse.coo_array((np.ones(len(edges)), tuple(zip(*edges, strict=True))), shape=(n, n))
    return csgraph.shortest_path(table.tocsr(), directed=False, unweighted=True), corners


def test_sierpinski_corner() -> None:
    order = 5
    hops, corners = sierpinski(order)
    assert len(hops) == (3 ** (order + 1) + 3) // 2
    table = grow(counts_of(hops))
    powers = 2 ** np.arange(order + 1)
    corner = table.grown[corners[0], powers]
    np.testing.assert_array_equal(corner, [(3 ** (k + 1) + 3) // 2 for k in range(order + 1)])
    local = np.diff(np.log(corner)) / np.log(2)
    assert (np.diff(np.abs(local - np.log2(3))) < 0).all()
    assert local[-1] == pytest.approx(np.log2(3), abs=0.02)


def test_cantor_measure() -> None:
    """Boxes of the measure [1, 0, 2]: a node is a unit of mass, so tau(q) is the box-counted tau_std(q + 1)."""
    depth = 6
    box = np.array([0])
    for _ in range(depth):
        box = np.concatenate([3 * box, 3 * box + 2, 3 * box + 2])
    coarse = [box // 3**k for k in range(depth + 1)]
    masses = np.stack([np.bincount(boxes)[boxes] for boxes in coarse], axis=1)
    found = spectrum_of(masses, 3 ** np.arange(depth + 1))

    def tau_std(q: np.ndarray) -> np.ndarray:
        return np.log((1 / 3) ** q + (2 / 3) ** q) / np.log(1 / 3)

    np.testing.assert_allclose(found.tau, tau_std(Q + 1), rtol=0, atol=CLOSE)


@pytest.mark.parametrize(
    ("p", "count_self", "low", "high"),
    [
        (0.0, False, 0.9995, 1.0005),
        (0.0, True, 0.9865, 0.9875),
        (1.0, False, 2.65, 3.04),
        (1.0, True, 2.56, 2.94),
    ],
)
def test_watts_strogatz(p: float, count_self: bool, low: float, high: float) -> None:
    found = []
    for seed in range(1 if p == 0 else 6):
        counts = counts_of(hops_of(networkx.watts_strogatz_graph(1000, 4, p, seed=seed)))
        table = grow(counts, count_self=count_self)
        np.testing.assert_array_equal(table.radii, np.arange(1, table.radii[-1] + 1))
        found.append(spectrum_of(table.masses, table.radii).alpha0)
    assert low <= min(found) <= max(found) <= high
    if p == 1:
        assert np.mean(found) == pytest.approx(2.732 if count_self else 2.828, abs=0.1)


def test_mass_0_is_refused() -> None:
    counts = RadiusCounts(np.array([[0, 0, 3, 2], [0, 1, 3, 2]]), (0,), (2,), EdgeTally(), None)
    table = grow(counts, count_self=False)
    with pytest.raises(
        AnalysisError, match="^a mass is 0 at the smallest radius .* itself, or start at a larger radius$"
    ):
        partition_function(table.masses, q=Q)
