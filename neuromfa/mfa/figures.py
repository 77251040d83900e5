"""The three figures that are compared with nulls (ours): alpha0, width and the variance of NFD within each matrix.

They come from radius counts without what only real networks need, over all nodes and by matrix kind.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.mfa.distance import RadiusCounts
from neuromfa.mfa.exponent import mass_exponent, slope_weights, slopes
from neuromfa.mfa.partition import LARGEST_PLAIN_MOMENT, Partition, grow_boxes, partition_function
from neuromfa.mfa.spectrum import forward_differences
from neuromfa.network import FloatArray, IntArray, Layer
from neuromfa.options import AnalysisOptions, Profile

LARGEST_TABLE_OF_POWERS = 2**20


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
    table = grow_boxes(counts, grid=options.grid, longest=options.max_distance, min_edges=options.min_edges)
    kinds, moments = matrix_kinds(layers, counts.layers), _moments(options)
    matrix_of = np.repeat(np.arange(len(kinds)), counts.sizes)[table.kept]
    weights, columns = slope_weights(table.radii), _columns(table.radii)
    nfd = np.empty(len(table.grown))
    partitions: dict[str, Partition] = {}
    alpha0s: dict[str, float] = {}
    # a kind at a time, whose arrays stay in the cache
    for kind, rows in _rows_by_kind(kinds, matrix_of):
        masses = table.grown[rows][:, columns].astype(np.int64)
        nfd[rows] = own = _dimensions(masses, weights)
        partitions[kind] = _partition(masses, moments)
        alpha0s[kind] = float(own.mean())

    def width(partition: Partition) -> float:
        return _width(partition, moments, table.radii, options.profile)

    return Figures(
        alpha0=float(nfd.mean()),
        width=width(_sum(list(partitions.values()))),
        by_kind={kind: KindFigures(alpha0, width(partitions[kind])) for kind, alpha0 in alpha0s.items()},
        kinds=kinds,
        nfd_variance=_variances(nfd, matrix_of, len(kinds)),
    )


def _moments(options: AnalysisOptions) -> FloatArray:
    """Return the moments a width needs: the outermost ones; in profile paper all, of which any may be the steepest."""
    q = np.asarray(options.q)
    return q if options.profile == "paper" else q[[0, -1]]


def _rows_by_kind(kinds: Sequence[str], matrix_of: IntArray) -> Iterator[tuple[str, IntArray]]:
    """Yield every matrix kind that has kept nodes, with their rows in the table of masses."""
    names = list(dict.fromkeys(kinds))
    kind_of = np.array([names.index(kind) for kind in kinds])[matrix_of]
    for place, name in enumerate(names):
        rows = np.flatnonzero(kind_of == place)
        if rows.size:
            yield name, rows


def _columns(radii: IntArray) -> slice | IntArray:
    """Return the columns of the common radii, as a slice where they follow one another."""
    first, last = int(radii[0]), int(radii[-1])
    return slice(first, last + 1) if last - first + 1 == radii.size else radii


def _dimensions(masses: IntArray, weights: FloatArray) -> FloatArray:
    """Return NFD of every node: the slope of ln N_i(r), logarithms taken once a mass."""
    logarithms = _logarithms(int(masses.max()))
    found: FloatArray = np.einsum("nk,k->n", logarithms.take(masses, mode="clip"), weights)
    return found


def _logarithms(largest: int) -> FloatArray:
    """Return ln N at place N, for N from 1 to `largest`; 0 at place 0."""
    return np.concatenate([[0.0], np.log(np.arange(1, largest + 1))])


def _partition(masses: IntArray, q: FloatArray) -> Partition:
    """Return ln Z and its derivative, as `partition_function`, of some of the nodes.

    For two moments it is faster to look powers up by mass: Z(q, r) = sum_i N_i(r)^q / N_i(L)^q.
    """
    largest = int(masses.max())
    if q.size > 2 or largest > LARGEST_TABLE_OF_POWERS or np.abs(q).max() > LARGEST_PLAIN_MOMENT:
        return partition_function(masses, q=q)
    logarithms = _logarithms(largest)
    relative, final = logarithms - logarithms[-1], masses[:, -1]
    rows = [_moment_sums(masses, np.exp(moment * relative), logarithms, final) for moment in q]
    z, weighted = np.array([z for z, _ in rows]), np.array([weighted for _, weighted in rows])
    return Partition(np.log(z), weighted / z)


def _moment_sums(
    masses: IntArray, powers: FloatArray, logarithms: FloatArray, final: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return sum_i mu_i^q and sum_i mu_i^q ln mu_i at every radius, shape (m,) each, from tables of N^q and ln N."""
    share = 1.0 / powers[final]
    values = powers.take(masses, mode="clip")
    z = np.einsum("nk,n->k", values, share)
    logged = np.einsum("nk,n->k", (powers * logarithms).take(masses, mode="clip"), share)
    return z, logged - np.einsum("nk,n->k", values, share * logarithms[final])


def _sum(partitions: Sequence[Partition]) -> Partition:
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
