"""Algorithm 2: box growing turns radius counts into masses, and masses into the partition function."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neuromfa.errors import AnalysisError, EmptyNetwork, TooFewRadii
from neuromfa.mfa.distance import CountArray, RadiusCounts
from neuromfa.network import BoolArray, FloatArray, IntArray
from neuromfa.options import FIXED_GRID_START, Grid

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Beyond this |q| powers of a mass ratio can leave the range of float64, so sums are taken in logarithms.
LARGEST_PLAIN_MOMENT = 20.0
# Float64 arrays of this many entries, three at a time, stay in the cache of one core.
CHUNK_ENTRIES = 2**15
LARGEST_PAIR_TABLE = 2**24

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

    On the union grid (paper) radii are the distinct rounded distances of kept nodes, so a single outlier among
    256,000 weights adds a far radius and can move alpha0 by 17 %; on the fixed grid (ours), all integers 20..T,
    it moves alpha0 by .004 % at most.

    Parameters
    ----------
    radius_counts : one-hop or multi-hop
    grid, longest, min_edges : as in `AnalysisOptions`
    count_self : False drops the 1, as some published values of other graphs need it

    Raises
    ------
    EmptyNetwork : no node is kept
    TooFewRadii : a single common radius
    """
    kept = keep_nodes(radius_counts.counts, min_edges=min_edges)
    grown = radius_counts.counts if kept.all() else radius_counts.counts[kept]
    observed = np.flatnonzero(grown.any(axis=0))
    radii = common_radii(observed, grid=grid, longest=longest, n_kept=len(grown))
    grown = np.cumsum(grown, axis=1, dtype=grown.dtype)
    if count_self:
        grown += 1
    return MassTable(grown, kept, radii, observed)


def common_radii(observed: IntArray, *, grid: Grid, longest: float, n_kept: int) -> IntArray:
    """Return the radii of a network from those observed at its `n_kept` nodes, or raise `TooFewRadii`."""
    radii = observed if grid == "union" else np.arange(FIXED_GRID_START, int(longest) + 1)
    if radii.size < 2:
        raise TooFewRadii(
            f"all edges of the {n_kept} kept neurons round to distance {radii[0]}, and a slope needs two "
            "radii: change lambda so that distances spread, or use the fixed grid"
        )
    return radii


def partition_function(masses: MassArray, *, q: FloatArray) -> Partition:
    """Return ln Z(q, r) and its derivative in q, from masses N_i(r) whose last column is N_i(L).

    Parameters
    ----------
    masses : array of shape (n, m), positive, non-decreasing along each row
    q : float64 array of shape (n_q,); beyond |q| = 20 sums are taken by log-sum-exp

    Raises
    ------
    AnalysisError : a mass is 0
    """
    if not np.all(masses[:, 0] > 0):
        raise AnalysisError(
            "a mass is 0 at the smallest radius and its logarithm does not exist: count the node itself, or "
            "start at a larger radius"
        )
    plain = np.abs(q) <= LARGEST_PLAIN_MOMENT
    log_z, mean_log_mu = np.empty((q.size, masses.shape[1])), np.empty((q.size, masses.shape[1]))
    sum_powers = _sum_over_pairs if _has_few_pairs(masses) else _sum_over_nodes
    log_z[plain], mean_log_mu[plain] = sum_powers(masses, q[plain])
    if not plain.all():
        log_z[~plain], mean_log_mu[~plain] = _sum_in_logarithms(masses, q[~plain])
    return Partition(log_z, mean_log_mu)


def _has_few_pairs(masses: MassArray) -> bool:
    """Return whether masses are integers so small that pairs (N(r), N(L)) fit a table by radius."""
    small = np.issubdtype(masses.dtype, np.integer) and int(masses.max()) < LARGEST_PAIR_TABLE
    return bool(small) and (int(masses.max()) + 1) ** 2 * masses.shape[1] <= LARGEST_PAIR_TABLE


def _sum_over_pairs(masses: MassArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ln Z and the weighted mean of ln mu, (n_q, m) each, taking every power of an equal pair once.

    Z(q, r) = sum over distinct pairs (N(r), N(L)) of how many nodes have it * (N(r) / N(L))^q. At 64 neurons a layer
    a pair stands for dozens of nodes.
    """
    counts, log_mu = _count_pairs(masses)
    powers = np.exp(np.multiply.outer(log_mu, q))
    z = counts @ powers
    return np.log(z).T, ((counts @ (powers * log_mu[:, np.newaxis])) / z).T


def _count_pairs(masses: MassArray) -> tuple["csr_array", FloatArray]:
    """Count the distinct pairs (N(r), N(L)) at every radius.

    Returns
    -------
    counts : sparse (m, n_pairs), nodes that have the pair at the radius
    log_mu : float64 array of shape (n_pairs,), ln (N(r) / N(L)) of the pair; exactly 0 where the two are equal
    """
    from scipy.sparse import csr_array  # takes time to load, for those who measure

    n_values, m = int(masses.max()) + 1, masses.shape[1]
    keys = masses.astype(np.int64)
    keys += keys[:, -1:] * n_values
    pairs = np.flatnonzero(np.bincount(keys.ravel()))
    column = np.empty(n_values**2, dtype=np.int64)
    column[pairs] = np.arange(pairs.size)
    cells = column[keys]
    cells += np.arange(m) * pairs.size
    table = np.bincount(cells.ravel(), minlength=m * pairs.size)
    filled = np.flatnonzero(table)
    starts = np.searchsorted(filled, np.arange(m + 1) * pairs.size)
    final, mass = np.divmod(pairs, n_values)
    counts = (table[filled].astype(np.float64), filled % pairs.size, starts)
    return csr_array(counts, shape=(m, pairs.size)), np.log(mass / final)


def _sum_over_nodes(masses: MassArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the same by walking over the nodes, a chunk that fits the cache at a time."""
    z, weighted = np.zeros((q.size, masses.shape[1])), np.zeros((q.size, masses.shape[1]))
    for log_mu in _log_ratios(masses):
        for k, powers in _powers(log_mu, q):
            z[k] += np.add.reduce(powers, axis=0)
            weighted[k] += np.einsum("ik,ik->k", powers, log_mu)
    return np.log(z), weighted / z


def _log_ratios(masses: MassArray) -> Iterator[FloatArray]:
    """Yield ln mu_i(r) = ln (N_i(r) / N_i(L)) of some nodes after others, shape (n_chunk, m)."""
    n_rows = max(1, CHUNK_ENTRIES // masses.shape[1])
    for start in range(0, len(masses), n_rows):
        chunk = masses[start : start + n_rows]
        ratios = np.divide(chunk, chunk[:, -1:], dtype=np.float64)
        yield np.log(ratios, out=ratios)


def _powers(log_mu: FloatArray, q: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """Yield k and mu^q_k; on an even grid by one multiplication from the power before, from q = 0 outwards.

    The array is used again for the next power.
    """
    step = grid_step(q)
    if step is None:
        yield from ((k, np.exp(moment * log_mu)) for k, moment in enumerate(q))
        return
    zero = int(np.flatnonzero(q == 0.0)[0])
    for direction, ks in ((1.0, range(zero, q.size)), (-1.0, range(zero - 1, -1, -1))):
        factor = np.exp(direction * step * log_mu)
        powers = np.ones_like(log_mu) if direction > 0 else factor.copy()
        for k in ks:
            yield k, powers
            powers *= factor


def grid_step(q: FloatArray) -> float | None:
    """Return the step of a grid k * step around 0, None of any other."""
    if q.size < 2 or not np.any(q == 0.0):
        return None
    step = float((q[-1] - q[0]) / (q.size - 1))
    return step if np.allclose(np.diff(q), step, rtol=1e-9, atol=0.0) else None


def _sum_in_logarithms(masses: MassArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the same for large |q| by log-sum-exp, the largest term of every radius taken out first."""
    extremes = [(log_mu.min(axis=0), log_mu.max(axis=0)) for log_mu in _log_ratios(masses)]
    low, high = np.min([a for a, _ in extremes], axis=0), np.max([b for _, b in extremes], axis=0)
    peaks = np.where(q[:, np.newaxis] > 0, np.multiply.outer(q, high), np.multiply.outer(q, low))
    total, weighted = np.zeros_like(peaks), np.zeros_like(peaks)
    for log_mu in _log_ratios(masses):
        for k, (moment, peak) in enumerate(zip(q, peaks, strict=True)):
            terms = np.exp(moment * log_mu - peak)
            total[k] += np.add.reduce(terms, axis=0)
            weighted[k] += np.einsum("ik,ik->k", terms, log_mu)
    return peaks + np.log(total), weighted / total
