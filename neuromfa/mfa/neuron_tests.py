"""Which neurons depart from chance (ours): dimension and strength of each against shuffled weights of its own matrix.

Under the null every source of a matrix has the same distribution, so the values of all sources in all draws form one
pool. p is the share of the pool that lies as far from its mean, and beyond the farthest twentieth what a generalised
Pareto tail (Pickands 1975) says; normal z would call dozens of neurons of a random network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.mfa.distance import RangeRule, range_rule
from neuromfa.mfa.exponent import slope_weights
from neuromfa.mfa.measure import radius_counts
from neuromfa.mfa.nulls import Entries, generator, part_by_part, shuffled
from neuromfa.mfa.paired_draws import CodeArray, radius_codes
from neuromfa.mfa.partition import common_radii, keep_nodes
from neuromfa.network import SNIN, FloatArray, IntArray, Layer, Link, NeuronTests, TestedMeasure
from neuromfa.options import AnalysisOptions

DRAWS = 99
"""Draws of the null: with S sources a pool of 99 S values."""
TAIL = 0.05
"""Share of the pool that its tail is fitted to."""
SMALLEST_P = 1e-12
"""No smaller p is told: so far out a fitted tail is a guess."""


def neuron_tests(network: SNIN, options: AnalysisOptions, *, draws: int = DRAWS) -> NeuronTests:
    """Test every neuron of a sample, at one hop in the profile of the options.

    p is adjusted over all neurons of the network by Benjamini and Hochberg, for each of the two measures.

    Raises
    ------
    EmptyNetwork, TooFewRadii : the network has no spectrum
    """
    dimensions = _Dimensions.of(network, options)
    found = {
        row: _test_link(link, dimensions, seed=network.provenance.seed, row=row, draws=draws)
        for row, link in enumerate(network.links)
        if link.weights is not None
    }
    layers = network.layers
    return NeuronTests(
        nfd=_placed({row: nfd for row, (nfd, _) in found.items()}, layers),
        strength=_placed({row: strength for row, (_, strength) in found.items()}, layers),
        draws=draws,
    )


@dataclass(frozen=True, eq=False)
class _Dimensions:
    """How node fractal dimensions follow from radius codes, on the common radii of the real network."""

    options: AnalysisOptions
    rule: RangeRule
    radii: IntArray
    weights: FloatArray

    @classmethod
    def of(cls, network: SNIN, options: AnalysisOptions) -> "_Dimensions":
        counts = radius_counts(network, options).counts
        rows = counts[keep_nodes(counts, min_edges=options.min_edges)]
        observed = np.flatnonzero(rows.any(axis=0))
        radii = common_radii(observed, grid=options.grid, longest=options.max_distance, n_kept=len(rows))
        return cls(options, range_rule(options), radii, slope_weights(radii))

    def codes(self, link: Link) -> CodeArray:
        """Return the radius of every edge of a link, 0 out of range: shape (n_target, n_source)."""
        found: CodeArray = radius_codes(link, link, [self.options], [self.rule])[..., 0]
        return found

    def __call__(self, codes: CodeArray) -> FloatArray:
        """Return the dimension of every source, NaN where it has too few edges in range."""
        n_source, width = codes.shape[1], self.rule.largest_radius + 1
        cells = codes.astype(np.int64) + np.arange(n_source) * width
        counts = np.bincount(cells.ravel(), minlength=n_source * width).reshape(n_source, width)
        counts[:, 0] = 0
        masses = np.cumsum(counts, axis=1)[:, self.radii] + 1
        kept = counts.sum(axis=1) > self.options.min_edges
        found: FloatArray = np.where(kept, np.log(masses) @ self.weights, np.nan)
        return found


@dataclass(frozen=True, eq=False)
class _Tested:
    """Values of the sources of one link, and how they stand in the pool of its null."""

    value: FloatArray
    z: FloatArray
    p: FloatArray


def _test_link(
    link: Link, dimensions: _Dimensions, *, seed: int, row: int, draws: int
) -> tuple[_Tested, _Tested]:
    """Return the test of the dimensions and of the strengths of a link's sources."""
    assert link.weights is not None
    codes = dimensions.codes(link)
    sizes = np.abs(link.weights.astype(np.float64))
    sizes[~np.isfinite(sizes)] = 0.0
    nulls = np.empty((2, draws, codes.shape[1]))
    for number in range(draws):
        # the order does not depend on what is moved, so codes and sizes move alike
        moved = [
            _moved(link, entries, generator(seed, row, "shuffled", number)) for entries in (codes, sizes)
        ]
        nulls[:, number] = dimensions(moved[0]), moved[1].sum(axis=0)
    return against_pool(dimensions(codes), nulls[0]), against_pool(sizes.sum(axis=0), nulls[1])


def _moved(link: Link, entries: Entries, draw: np.random.Generator) -> Entries:
    return part_by_part(link.parts, entries, lambda part, _: shuffled(part, draw))


def against_pool(values: FloatArray, pool: FloatArray) -> _Tested:
    """Return z and the two-sided p of values against all values of their null.

    Parameters
    ----------
    values : shape (n,); NaN where there is none
    pool : any shape; NaN is left out
    """
    known = pool[~np.isnan(pool)]
    deviation = float(known.std()) if known.size else 0.0
    if deviation == 0.0:
        nothing = np.full(values.size, np.nan)
        return _Tested(values, nothing, nothing)
    z = (values - known.mean()) / deviation
    return _Tested(values, z, tail_p(np.abs(z), np.abs(known - known.mean()) / deviation))


def tail_p(sizes: FloatArray, pool: FloatArray) -> FloatArray:
    """Return the share of a pool that is as large as each size, beyond its upper twentieth by a Pareto tail.

    Returns
    -------
    p : shape of `sizes`, from `SMALLEST_P` on; NaN where a size is
    """
    ordered = np.sort(pool)
    n = ordered.size
    begins = float(ordered[int(np.ceil((1.0 - TAIL) * n)) - 1])
    shape, scale = _pareto(ordered[ordered > begins] - begins)
    share = float(np.count_nonzero(ordered > begins)) / n
    beyond = np.maximum(sizes - begins, 0.0) / scale
    with np.errstate(invalid="ignore"):
        fitted = share * (np.exp(-beyond) if shape == 0.0 else (1.0 + shape * beyond) ** (-1.0 / shape))
        counted = (n - np.searchsorted(ordered, sizes) + 1) / (n + 1)
        p: FloatArray = np.maximum(np.where(sizes > begins, fitted, counted), SMALLEST_P)
    p[np.isnan(sizes)] = np.nan
    return p


def _pareto(excesses: FloatArray) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto distribution, by probability weighted moments.

    (Hosking and Wallis 1987.) A shape below 0 would give the tail an end, beyond which p is 0: it is taken as 0.
    """
    if excesses.size < 2:
        return 0.0, max(float(excesses.sum()), np.finfo(np.float64).tiny)
    ordered, n = np.sort(excesses), excesses.size
    first = float(ordered.mean())
    second = float(np.sum(ordered * (n - np.arange(1, n + 1))) / (n * (n - 1)))
    shape = 2.0 - first / (first - 2.0 * second)
    if shape <= 0.0:
        return 0.0, first
    return shape, 2.0 * first * second / (first - 2.0 * second)


def _placed(tested: dict[int, _Tested], layers: Sequence[Layer]) -> TestedMeasure:
    """Spread the tests of all links over the neurons of a network, p adjusted over all of them."""
    from scipy.stats import false_discovery_control  # half a second to load, for those who ask for tests

    p = np.concatenate([one.p for one in tested.values()])
    adjusted = np.full(p.size, np.nan)
    known = ~np.isnan(p)
    if known.any():
        adjusted[known] = false_discovery_control(p[known])
    ends = np.cumsum([one.p.size for one in tested.values()])[:-1]
    by_row = dict(zip(tested, np.split(adjusted, ends), strict=True))
    nothing = [np.full(layer.size, np.nan) for layer in layers]

    def columns(values: dict[int, FloatArray]) -> tuple[FloatArray, ...]:
        return tuple(values.get(k, empty) for k, empty in enumerate(nothing))

    return TestedMeasure(
        value=columns({row: one.value for row, one in tested.items()}),
        z=columns({row: one.z for row, one in tested.items()}),
        p=columns({row: one.p for row, one in tested.items()}),
        p_adjusted=columns(by_row),
    )
