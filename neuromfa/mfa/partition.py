"""Algorithm 2: box growing turns radius counts into masses, and masses into the partition function Z(q, r)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from scipy import sparse

from neuromfa.errors import AnalysisError, EmptyNetwork, TooFewRadii
from neuromfa.mfa.distance import CountArray, RadiusCounts
from neuromfa.network import BoolArray, FloatArray, IntArray
from neuromfa.options import FIXED_GRID_START, Grid

# Beyond this |q| powers of a mass ratio can leave the range of float64, so sums are taken in logarithms.
LARGEST_PLAIN_MOMENT = 20.0
CHUNK_ENTRIES = 2**21

MassArray = npt.NDArray[np.integer] | FloatArray


@dataclass(frozen=True, eq=False)
class MassTable:
    """Masses of the kept nodes at every integer radius.

    Attributes
    ----------
    grown : array of shape (n_kept, 1 + largest radius), column r is N_i(r)
    kept : bool array of shape (n_sources,), which sources these are
    radii : int64 array of shape (m,), the common radii r_1 < ... < r_m = L
    observed : int64 array, the distinct rounded distances of kept nodes; equal to `radii` on the union grid
    """

    grown: CountArray
    kept: BoolArray
    radii: IntArray
    observed: IntArray

    @property
    def masses(self) -> CountArray:
        """Masses at the common radii, shape (n_kept, m)."""
        return self.grown[:, self.radii]


@dataclass(frozen=True, eq=False)
class Partition:
    """The partition function and its logarithmic derivative in q.

    Attributes
    ----------
    log_z : float64 array of shape (n_q, m), ln Z(q, r), Z = sum_i mu_i(r)^q, not normalised (paper, Algorithm 2)
    mean_log_mu : float64 array of shape (n_q, m), d ln Z / d q = sum_i w_i ln mu_i(r), w_i = mu_i^q / Z (ours)
    """

    log_z: FloatArray
    mean_log_mu: FloatArray


def keep_nodes(counts: CountArray, *, min_edges: int) -> BoolArray:
    """Return which sources have **more than** `min_edges` edges in range (paper: 10), or raise `EmptyNetwork`."""
    edges = counts.sum(axis=1)
    kept: BoolArray = edges > min_edges
    if not kept.any():
        most = f"the best connected has {edges.max()}" if edges.size else "there is no neuron with weights"
        raise EmptyNetwork(
            f"none of {edges.size} neurons has more than {min_edges} edges in range ({most}): "
            "raise max_distance or lower min_edges"
        )
    return kept


def grow_boxes(
    radius_counts: RadiusCounts, *, grid: Grid, longest: float, min_edges: int, count_self: bool = True
) -> MassTable:
    """Return N_i(r) = 1 + #{j in range : round(d_ij) <= r} of the kept nodes and the common radii.

    `count_self` False drops the 1, as some published values of other graphs need it.

    Raises
    ------
    EmptyNetwork : no node is kept
    TooFewRadii : a single common radius
    """
    kept = keep_nodes(radius_counts.counts, min_edges=min_edges)
    grown = radius_counts.counts if kept.all() else radius_counts.counts[kept]
    observed = np.flatnonzero(grown.any(axis=0))
    grown = np.cumsum(grown, axis=1, dtype=grown.dtype)
    if count_self:
        grown += 1
    radii = observed if grid == "union" else np.arange(FIXED_GRID_START, int(longest) + 1)
    if radii.size < 2:
        raise TooFewRadii(
            f"all edges of the {len(grown)} kept neurons round to distance {radii[0]}, and a slope needs two "
            "radii: change lambda so that distances spread, or use the fixed grid"
        )
    return MassTable(grown, kept, radii, observed)


def partition_function(masses: MassArray, *, q: FloatArray) -> Partition:
    """Return ln Z(q, r) and its derivative in q, from masses N_i(r) whose last column is N_i(L).

    Masses are mostly small integers, so equal pairs (N_i(r), N_i(L)) are counted first and every power is taken
    once: Z(q, r) = sum over distinct pairs of count * (N(r) / N(L))^q. Nodes are taken in order of N_i(L), a chunk
    at a time, so that memory stays small and pairs repeat.

    Parameters
    ----------
    masses : array of shape (n, m), positive, non-decreasing along each row
    q : float64 array of shape (n_q,)
    """
    if not np.all(masses[:, 0] > 0):
        raise AnalysisError(
            "a mass is 0 at the smallest radius and its logarithm does not exist: count the node itself, or "
            "start at a larger radius"
        )
    return reduce(_merge, (_partition_chunk(chunk, q) for chunk in _chunks(masses)))


def _chunks(masses: MassArray) -> Iterator[MassArray]:
    """Yield rows in order of their last mass, so many at a time that a chunk has about CHUNK_ENTRIES masses."""
    order = np.argsort(masses[:, -1], kind="stable")
    n_rows = max(1, CHUNK_ENTRIES // masses.shape[1])
    for start in range(0, order.size, n_rows):
        yield masses[order[start : start + n_rows]]


def _partition_chunk(masses: MassArray, q: FloatArray) -> Partition:
    counts, log_mu = _count_pairs(masses)
    log_z = np.empty((q.size, masses.shape[1]))
    mean_log_mu = np.empty_like(log_z)
    plain = np.abs(q) <= LARGEST_PLAIN_MOMENT
    log_z[plain], mean_log_mu[plain] = _sum_powers(counts, log_mu, q[plain])
    for k in np.flatnonzero(~plain):
        log_z[k], mean_log_mu[k] = _sum_in_logarithms(counts, log_mu, q[k])
    return Partition(log_z, mean_log_mu)


def _count_pairs(masses: MassArray) -> tuple[sparse.csr_array, FloatArray]:
    """Count the distinct pairs (N(r), N(L)) at every radius.

    Returns
    -------
    counts : sparse (m, n_pairs), nodes that have the pair at the radius
    log_mu : float64 array of shape (n_pairs,), ln (N(r) / N(L)) of the pair; exactly 0 where the two are equal
    """
    values, codes = _codes(masses)
    finals, final_codes = np.unique(codes[:, -1], return_inverse=True)
    n_pairs = finals.size * values.size
    pairs = codes + final_codes[:, np.newaxis] * values.size
    cells = pairs + np.arange(masses.shape[1]) * n_pairs
    cells, counts = np.unique(cells, return_counts=True)
    radius, pair = np.divmod(cells, n_pairs)
    pair, column = np.unique(pair, return_inverse=True)
    starts = np.searchsorted(radius, np.arange(masses.shape[1] + 1))
    final, value = np.divmod(pair, values.size)
    log_mu = np.log(values[value] / values[finals[final]])
    return sparse.csr_array(
        (counts.astype(np.float64), column, starts), shape=(masses.shape[1], pair.size)
    ), log_mu


def _codes(masses: MassArray) -> tuple[FloatArray, IntArray]:
    """Return values and, for every mass, its place among them; a small integer is its own place."""
    if np.issubdtype(masses.dtype, np.integer) and masses.max() < 2**20:
        return np.arange(int(masses.max()) + 1, dtype=np.float64), masses.astype(np.int64)
    values, codes = np.unique(masses, return_inverse=True)
    return values.astype(np.float64), codes.reshape(masses.shape)


def _sum_powers(counts: sparse.csr_array, log_mu: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ln Z and the weighted mean of ln mu, shape (n_q, m) each, by sums of plain powers."""
    powers = np.exp(np.multiply.outer(log_mu, q))
    z = counts @ powers
    return np.log(z).T, ((counts @ (powers * log_mu[:, np.newaxis])) / z).T


def _sum_in_logarithms(
    counts: sparse.csr_array, log_mu: FloatArray, q: float
) -> tuple[FloatArray, FloatArray]:
    """Return the same for one q, shape (m,) each, by log-sum-exp over every radius."""
    log_mus = log_mu[counts.indices]
    starts = counts.indptr[:-1]
    peak = np.maximum.reduceat(q * log_mus, starts)
    terms = counts.data * np.exp(q * log_mus - np.repeat(peak, np.diff(counts.indptr)))
    total = np.add.reduceat(terms, starts)
    return peak + np.log(total), np.add.reduceat(terms * log_mus, starts) / total


def _merge(left: Partition, right: Partition) -> Partition:
    """Return the partition of two disjoint sets of nodes from those of each."""
    log_z = np.logaddexp(left.log_z, right.log_z)
    share = np.exp(left.log_z - log_z)
    return Partition(log_z, share * left.mean_log_mu + np.exp(right.log_z - log_z) * right.mean_log_mu)
