"""The three figures that are compared with nulls (ours): alpha0, width and the variance of NFD within each matrix.

They come from radius counts without what only real networks need, over all nodes and by matrix kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from neuromfa.mfa.distance import CountArray, RadiusCounts
from neuromfa.mfa.exponent import mass_exponent, slope_weights, slopes
from neuromfa.mfa.partition import (
    LARGEST_PLAIN_MOMENT,
    Partition,
    common_radii,
    keep_nodes,
    partition_function,
)
from neuromfa.mfa.spectrum import forward_differences
from neuromfa.network import FloatArray, IntArray, Layer
from neuromfa.options import AnalysisOptions, Profile

LARGEST_TABLE = 2**20


@dataclass(frozen=True, eq=False)
class KindFigures:
    """alpha0 and width over the kept nodes of one matrix kind, on the radii of the whole network."""

    alpha0: float
    width: float


@dataclass(frozen=True, eq=False)
class Figures:
    """What one network, real or null, gives.

    Attributes
    ----------
    alpha0, width : over all kept nodes; equal to those of the spectrum up to rounding
    by_kind : the same by matrix kind, of the kinds that have kept nodes
    kinds : kind of every matrix, in order
    nfd_variance : float64 array of shape (n_matrices,), variance (ddof 1) of the node fractal dimension over the kept
        sources of each matrix; NaN where fewer than two are kept
    """

    alpha0: float
    width: float
    by_kind: Mapping[str, KindFigures]
    kinds: tuple[str, ...]
    nfd_variance: FloatArray


def matrix_kinds(layers: Sequence[Layer], sources: Sequence[int]) -> tuple[str, ...]:
    """Return the kind of the matrix that starts at each source layer: the name of the row it leads to.

    What leads from one block to the next one has the name of the last row, to which it leads in the last block.
    """
    first, last = layers[0].row, layers[-1].row
    return tuple(last if layers[k + 1].row == first else layers[k + 1].row for k in sources)


def figures_of(counts: RadiusCounts, *, layers: Sequence[Layer], options: AnalysisOptions) -> Figures:
    """Return the figures of a network's radius counts.

    Raises
    ------
    EmptyNetwork, TooFewRadii : see `grow_boxes`
    """
    kept = keep_nodes(counts.counts, min_edges=options.min_edges)
    rows = counts.counts if kept.all() else counts.counts[kept]
    observed = np.flatnonzero(rows.any(axis=0))
    radii = common_radii(observed, grid=options.grid, longest=options.max_distance, n_kept=len(rows))
    kinds, moments = matrix_kinds(layers, counts.layers), _moments(options)
    matrix_of = np.repeat(np.arange(len(kinds)), counts.sizes)[kept]
    sums = _sums(rows, moments, slope_weights(radii))
    columns, nfd = _columns(radii), np.empty(len(rows))
    # a matrix at a time, whose arrays stay in the cache
    for kind, nodes in zip(kinds, _slices(matrix_of, len(kinds)), strict=True):
        masses = np.cumsum(rows[nodes], axis=1, dtype=np.int64)[:, columns] + 1
        nfd[nodes] = sums.add(kind, masses)
    partitions = sums.partitions()

    def width(partition: Partition) -> float:
        return _width(partition, moments, radii, options.profile)

    kind_of = np.array(kinds)[matrix_of]
    return Figures(
        alpha0=float(nfd.mean()),
        width=width(_total(list(partitions.values()))),
        by_kind={
            kind: KindFigures(float(nfd[kind_of == kind].mean()), width(partition))
            for kind, partition in partitions.items()
        },
        kinds=kinds,
        nfd_variance=_variances(nfd, matrix_of, len(kinds)),
    )


def _moments(options: AnalysisOptions) -> FloatArray:
    """Return the moments a width needs: the outermost ones; in profile paper all, of which any may be the steepest."""
    q = np.asarray(options.q)
    return q if options.profile == "paper" else q[[0, -1]]


def _slices(matrix_of: IntArray, n_matrices: int) -> list[slice]:
    """Return the nodes of every matrix, which follow one another."""
    ends = np.searchsorted(matrix_of, np.arange(n_matrices + 1)).tolist()
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _columns(radii: IntArray) -> slice | IntArray:
    """Return the columns of the common radii, as a slice where they follow one another."""
    first, last = int(radii[0]), int(radii[-1])
    return slice(first, last + 1) if last - first + 1 == radii.size else radii


def _sums(rows: CountArray, moments: FloatArray, weights: FloatArray) -> "_Sums":
    """Return what adds up partition functions: by tables of powers where there are few moments and no huge masses."""
    largest = int(rows.sum(axis=1).max()) + 1
    by_table = (
        moments.size == 2 and largest <= LARGEST_TABLE and np.abs(moments).max() <= LARGEST_PLAIN_MOMENT
    )
    return (_TableSums if by_table else _Sums)(largest, moments, weights)


class _Sums:
    """NFD of nodes and partition functions of kinds, from the masses of one matrix after another.

    Parameters
    ----------
    largest : the largest mass there is
    moments : of the partition functions
    weights : of the slope over the common radii, shape (m,)
    """

    def __init__(self, largest: int, moments: FloatArray, weights: FloatArray) -> None:
        self._moments, self._weights = moments, weights
        self._logarithms = np.concatenate([[0.0], np.log(np.arange(1, largest + 1))])
        self._masses: dict[str, list[IntArray]] = {}

    def add(self, kind: str, masses: IntArray) -> FloatArray:
        """Take the masses (n, m) of a matrix and return the NFD of its nodes, shape (n,)."""
        if len(masses):
            self._masses.setdefault(kind, []).append(masses)
        found: FloatArray = np.einsum("nk,k->n", self._logarithms.take(masses), self._weights)
        return found

    def partitions(self) -> dict[str, Partition]:
        """Return the partition function of every kind that has nodes."""
        return {
            kind: partition_function(np.concatenate(masses), q=self._moments)
            for kind, masses in self._masses.items()
        }


class _TableSums(_Sums):
    """The same with powers looked up by mass: Z(q, r) = sum_i N_i(r)^q / N_i(L)^q."""

    def __init__(self, largest: int, moments: FloatArray, weights: FloatArray) -> None:
        super().__init__(largest, moments, weights)
        logarithms = self._logarithms
        # relative to the largest mass, so that no power leaves the range of float64
        powers = np.exp(np.multiply.outer(moments, logarithms - logarithms[-1]))
        self._tables = np.vstack([powers, logarithms])
        self._shares = np.stack([1.0 / powers, logarithms / powers], axis=1)
        self._z: dict[str, FloatArray] = {}
        self._weighted: dict[str, FloatArray] = {}

    def add(self, kind: str, masses: IntArray) -> FloatArray:
        """Take the masses (n, m) of a matrix and return the NFD of its nodes, shape (n,)."""
        if not len(masses):
            return np.empty(0)
        n, final = self._moments.size, masses[:, -1]
        values = self._tables.take(masses, axis=1, mode="clip")
        # two rows at once make it a product of matrices: sum_i mu_i^q, and the same times ln N_i(L)
        shares = self._shares[:, :, final]
        sums = shares @ values[:n]
        logged = shares @ np.multiply(values[:n], values[-1])
        z, weighted = sums[:, 0], logged[:, 0] - sums[:, 1]
        self._z[kind] = self._z.get(kind, 0.0) + z
        self._weighted[kind] = self._weighted.get(kind, 0.0) + weighted
        found: FloatArray = np.einsum("nk,k->n", values[-1], self._weights)
        return found

    def partitions(self) -> dict[str, Partition]:
        """Return the partition function of every kind that has nodes."""
        return {kind: Partition(np.log(z), self._weighted[kind] / z) for kind, z in self._z.items()}


def _total(partitions: Sequence[Partition]) -> Partition:
    """Return the partition function of all nodes from those of the kinds."""
    peak = np.max([one.log_z for one in partitions], axis=0)
    parts = [np.exp(one.log_z - peak) for one in partitions]
    z: FloatArray = np.sum(parts, axis=0)
    weighted = np.sum([part * one.mean_log_mu for part, one in zip(parts, partitions, strict=True)], axis=0)
    return Partition(peak + np.log(z), weighted / z)


def _width(partition: Partition, q: FloatArray, radii: IntArray, profile: Profile) -> float:
    """Return the width of a spectrum, as `multifractal_spectrum` defines it."""
    if profile == "paper":
        alpha = forward_differences(mass_exponent(partition.log_z, radii=radii), q=q)
        return float(alpha.max() - alpha.min())
    first, last = slopes(partition.mean_log_mu[[0, -1]], radii=radii).tolist()
    return float(first - last)


def _variances(nfd: FloatArray, matrix_of: IntArray, n_matrices: int) -> FloatArray:
    """Return the variance within every matrix (ddof 1), NaN where fewer than two nodes are kept."""
    n = np.bincount(matrix_of, minlength=n_matrices)
    mean = np.bincount(matrix_of, weights=nfd, minlength=n_matrices) / np.maximum(n, 1)
    squares = np.bincount(matrix_of, weights=np.square(nfd - mean[matrix_of]), minlength=n_matrices)
    return np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan)
