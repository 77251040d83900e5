"""The three figures that are compared with nulls (ours): alpha0, width and the variance of NFD within each matrix.

They come from radius counts without what only real networks need, over all nodes, by matrix kind and by block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from neuromfa.mfa.distance import CountArray, RadiusCounts
from neuromfa.mfa.exponent import slope_weights, weighted_sums
from neuromfa.mfa.partition import (
    LARGEST_PLAIN_MOMENT,
    Partition,
    common_radii,
    keep_nodes,
    partition_function,
)
from neuromfa.mfa.spectrum import forward_differences
from neuromfa.network import BoolArray, FloatArray, IntArray, Layer
from neuromfa.options import AnalysisOptions, Profile

LARGEST_TABLE = 2**20


@dataclass(frozen=True, eq=False)
class KindFigures:
    """alpha0 and width over the kept nodes of one matrix kind, or of one block, on the radii of the whole network.

    A block has no width (None) in profile paper, whose width needs the partition function at every moment.
    """

    alpha0: float
    width: float | None


@dataclass(frozen=True, eq=False)
class Figures:
    """What one network, real or null, gives.

    Attributes
    ----------
    alpha0, width : over all kept nodes; equal to those of the spectrum up to rounding
    by_kind : the same by matrix kind, of the kinds that have kept nodes
    by_block : the same by block, of the blocks that have kept nodes, in order
    kinds : kind of every matrix, in order
    blocks : block of every matrix: that of its sources, its number as text
    nfd_variance : float64 array of shape (n_matrices,), variance (ddof 1) of the node fractal dimension over the kept
        sources of each matrix; NaN where fewer than two are kept
    """

    alpha0: float
    width: float
    by_kind: Mapping[str, KindFigures]
    by_block: Mapping[str, KindFigures]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]
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
    blocks = tuple(str(layers[k].block) for k in counts.layers)
    matrix_of = np.repeat(np.arange(len(kinds)), counts.sizes)[kept]
    weights = slope_weights(radii)
    sums = _sums(rows, moments, weights)
    columns, nfd = _columns(radii), np.empty(len(rows))
    # a matrix at a time, whose arrays stay in the cache
    for matrix, nodes in zip(zip(kinds, blocks, strict=True), _slices(matrix_of, len(kinds)), strict=True):
        masses = np.cumsum(rows[nodes], axis=1, dtype=np.int64)[:, columns] + 1
        nfd[nodes] = sums.add(matrix, masses)

    def width(partition: Partition) -> float:
        return _width(partition, moments, weights, options.profile)

    def by_group(names: Sequence[str], partitions: Mapping[str, Partition]) -> dict[str, KindFigures]:
        return {
            name: KindFigures(float(nfd[nodes].mean()), width(partitions[name]) if partitions else None)
            for name, nodes in _nodes_by_name(names, matrix_of).items()
        }

    of_kinds, of_blocks = sums.of_kinds(), {} if options.profile == "paper" else sums.of_blocks()
    return Figures(
        alpha0=float(nfd.mean()),
        width=width(_total(list(of_kinds.values()))),
        by_kind=by_group(kinds, of_kinds),
        by_block=by_group(blocks, of_blocks),
        kinds=kinds,
        blocks=blocks,
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


def _nodes_by_name(names: Sequence[str], matrix_of: IntArray) -> dict[str, BoolArray]:
    """Return which nodes belong to the matrices of each name, of the names that have some."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    number_of = np.array([numbers[name] for name in names])[matrix_of]
    nodes = {name: number_of == number for name, number in numbers.items()}
    return {name: those for name, those in nodes.items() if those.any()}


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
    """NFD of nodes, and partition functions of kinds and of blocks, from the masses of one matrix after another.

    Parameters
    ----------
    largest : the largest mass there is
    moments : of the partition functions
    weights : of the slope over the common radii, shape (m,)
    """

    def __init__(self, largest: int, moments: FloatArray, weights: FloatArray) -> None:
        self._moments, self._weights = moments, weights
        self._logarithms = np.concatenate([[0.0], np.log(np.arange(1, largest + 1))])
        self._masses: tuple[dict[str, list[IntArray]], dict[str, list[IntArray]]] = ({}, {})

    def add(self, matrix: tuple[str, str], masses: IntArray) -> FloatArray:
        """Take the masses (n, m) of a matrix, named by kind and block, and return the NFD of its nodes, shape (n,)."""
        if len(masses):
            for groups, name in zip(self._masses, matrix, strict=True):
                groups.setdefault(name, []).append(masses)
        found: FloatArray = np.einsum("nk,k->n", self._logarithms.take(masses), self._weights)
        return found

    def of_kinds(self) -> dict[str, Partition]:
        """Return the partition function of every kind that has nodes."""
        return self._partitions(0)

    def of_blocks(self) -> dict[str, Partition]:
        """Return the partition function of every block that has nodes."""
        return self._partitions(1)

    def _partitions(self, place: int) -> dict[str, Partition]:
        return {
            name: partition_function(np.concatenate(masses), q=self._moments)
            for name, masses in self._masses[place].items()
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
        self._added: tuple[dict[str, FloatArray], dict[str, FloatArray]] = ({}, {})

    def add(self, matrix: tuple[str, str], masses: IntArray) -> FloatArray:
        """Take the masses (n, m) of a matrix, named by kind and block, and return the NFD of its nodes, shape (n,)."""
        if not len(masses):
            return np.empty(0)
        n, final = self._moments.size, masses[:, -1]
        values = self._tables.take(masses, axis=1, mode="clip")
        # two rows at once make it a product of matrices: sum_i mu_i^q, and the same times ln N_i(L)
        shares = self._shares[:, :, final]
        sums = shares @ values[:n]
        logged = shares @ np.multiply(values[:n], values[-1])
        z, weighted = sums[:, 0], logged[:, 0] - sums[:, 1]
        added = np.stack([z, weighted])
        for groups, name in zip(self._added, matrix, strict=True):
            groups[name] = groups[name] + added if name in groups else added
        found: FloatArray = np.einsum("nk,k->n", values[-1], self._weights)
        return found

    def _partitions(self, place: int) -> dict[str, Partition]:
        return {
            name: Partition(np.log(z), weighted / z) for name, (z, weighted) in self._added[place].items()
        }


def _total(partitions: Sequence[Partition]) -> Partition:
    """Return the partition function of all nodes from those of the kinds."""
    peak = np.max([one.log_z for one in partitions], axis=0)
    parts = [np.exp(one.log_z - peak) for one in partitions]
    z: FloatArray = np.sum(parts, axis=0)
    weighted = np.sum([part * one.mean_log_mu for part, one in zip(parts, partitions, strict=True)], axis=0)
    return Partition(peak + np.log(z), weighted / z)


def _width(partition: Partition, q: FloatArray, weights: FloatArray, profile: Profile) -> float:
    """Return the width of a spectrum, as `multifractal_spectrum` defines it; `weights` are those of the slope."""
    if profile == "paper":
        alpha = forward_differences(weighted_sums(partition.log_z, weights), q=q)
        return float(alpha.max() - alpha.min())
    first, last = weighted_sums(partition.mean_log_mu[[0, -1]], weights).tolist()
    return float(first - last)


def _variances(nfd: FloatArray, matrix_of: IntArray, n_matrices: int) -> FloatArray:
    """Return the variance within every matrix (ddof 1), NaN where fewer than two nodes are kept."""
    n = np.bincount(matrix_of, minlength=n_matrices)
    mean = np.bincount(matrix_of, weights=nfd, minlength=n_matrices) / np.maximum(n, 1)
    squares = np.bincount(matrix_of, weights=np.square(nfd - mean[matrix_of]), minlength=n_matrices)
    return np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan)
