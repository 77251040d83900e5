"""The (min,+) products with a cut that path distances are made of, compiled (extra ``fast``) or in numpy.

A product takes the distances to one layer on to the next: out[i, j] = min over v of (frontier[i, v] + gamma)
+ edge[v, j], where that is at most T.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, Protocol, get_args

import numpy as np

from neuromfa import extras
from neuromfa.errors import OptionError
from neuromfa.mfa.distance import CountArray
from neuromfa.network import ARTIFICIAL_DISTANCE, BoolArray, FloatArray, IntArray

Engine = Literal["auto", "numba", "numpy"]

# Rows of a frontier worked on together in numpy: blocks of this many stay in the cache of one core.
BLOCK_ROWS = 512
# The share of the edges into a target, shortest first, that every row tries; the few rows that need more
# go on alone.
DENSE_SHARE = 3 / 16


@dataclass(frozen=True, eq=False)
class Wiring:
    """Artificial edges of one link; sources wired to the same targets form a group and count as one.

    Attributes
    ----------
    member, group_start : the sources of group g are ``member[group_start[g]:group_start[g + 1]]``
    target_group, target_start : the groups wired to target j are
        ``target_group[target_start[j]:target_start[j + 1]]``
    """

    member: IntArray
    group_start: IntArray
    target_group: IntArray
    target_start: IntArray

    @property
    def n_source(self) -> int:
        """Number of neurons in the layer left."""
        return self.member.size

    @property
    def n_target(self) -> int:
        """Number of neurons in the layer reached."""
        return self.target_start.size - 1

    def edges(self, *, longest: float) -> FloatArray:
        """Return the edges as a matrix of shape (n_source, n_target), inf where there is none in range."""
        by_group = np.full((self.group_start.size - 1, self.n_target), np.inf)
        targets = np.repeat(np.arange(self.n_target), np.diff(self.target_start))
        by_group[self.target_group, targets] = (
            ARTIFICIAL_DISTANCE if longest >= ARTIFICIAL_DISTANCE else np.inf
        )
        edges = np.empty((self.n_source, self.n_target))
        edges[self.member] = np.repeat(by_group, np.diff(self.group_start), axis=0)
        return edges


def fold(wiring: BoolArray) -> Wiring:
    """Group the sources of a wiring, shape (n_target, n_source), by the targets they reach."""
    groups: dict[bytes, int] = {}
    rows = np.packbits(wiring.T, axis=1)
    group = np.array([groups.setdefault(row.tobytes(), len(groups)) for row in rows], dtype=np.int64)
    member = np.argsort(group, kind="stable")
    group_start = np.searchsorted(group[member], np.arange(len(groups) + 1))
    target, target_group = np.nonzero(wiring[:, member[group_start[:-1]]])
    target_start = np.searchsorted(target, np.arange(wiring.shape[0] + 1))
    return Wiring(member, group_start, target_group, target_start)


class Products(Protocol):
    """The steps of a sweep over the layers.

    `product` and `relay` return the rows of the frontier that still reach something, with `spare` rows to
    be filled after them, and which rows these are.
    """

    def product(
        self, frontier: FloatArray, edges: FloatArray, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over weighted edges, a matrix of shape (n_source, n_target), inf = no edge."""

    def relay(
        self, frontier: FloatArray, wiring: Wiring, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over artificial edges."""

    def count(self, distances: FloatArray, rows: IntArray, *, unit: float, counts: CountArray) -> None:
        """Add 1 to ``counts[rows[i], max(1, round(d / unit))]`` for every finite d of row i; rows differ."""


def installed_engine(engine: Engine) -> Literal["numba", "numpy"]:
    """Return the engine that will do the work: ``auto`` is numba where it is installed (extra ``fast``).

    Raises
    ------
    OptionError : an unknown name
    MissingExtra : numba where it is not installed
    """
    if engine not in get_args(Engine):
        raise OptionError(f"engine is one of {', '.join(get_args(Engine))}, not {engine!r}")
    if engine == "numpy":
        return "numpy"
    if find_spec("numba") is not None:
        return "numba"
    if engine == "numba":
        raise extras.absent("numba", what="engine numba")
    return "numpy"


def products_of(engine: Engine) -> Products:
    """Return the products of an engine; both give the same floats."""
    return CompiledProducts() if installed_engine(engine) == "numba" else PlainProducts()


class CompiledProducts:
    """Products compiled on first use; the import waits until then because numba takes a second to load."""

    def product(
        self, frontier: FloatArray, edges: FloatArray, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over weighted edges."""
        from neuromfa.mfa import _kernels

        out, alive = _room(frontier.shape[0], edges.shape[1], spare)
        count = _kernels.min_plus(frontier, edges, edges.min(axis=1), gamma, longest, out, alive)
        return out[: count + spare], alive[:count]

    def relay(
        self, frontier: FloatArray, wiring: Wiring, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over artificial edges."""
        from neuromfa.mfa import _kernels

        out, alive = _room(frontier.shape[0], wiring.n_target, spare)
        lists = wiring.member, wiring.group_start, wiring.target_group, wiring.target_start
        count = _kernels.relay(frontier, *lists, gamma, ARTIFICIAL_DISTANCE, longest, out, alive)
        return out[: count + spare], alive[:count]

    def count(self, distances: FloatArray, rows: IntArray, *, unit: float, counts: CountArray) -> None:
        """Count the radii of every row."""
        from neuromfa.mfa import _kernels

        _kernels.count_radii(distances, rows, unit, counts)


def _room(n_rows: int, n_target: int, spare: int) -> tuple[FloatArray, IntArray]:
    return np.empty((n_rows + spare, n_target)), np.empty(n_rows, dtype=np.int64)


class PlainProducts:
    """The same in numpy, about six times slower."""

    def product(
        self, frontier: FloatArray, edges: FloatArray, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over weighted edges, some rows at a time."""
        into_target = np.ascontiguousarray(edges.T)
        nearest = np.argsort(into_target, axis=1)
        edge = np.take_along_axis(into_target, nearest, axis=1)
        out = np.empty((frontier.shape[0], edges.shape[1]))
        for first in range(0, frontier.shape[0], BLOCK_ROWS):
            rows = slice(first, first + BLOCK_ROWS)
            out[rows] = min_plus(frontier[rows], nearest, edge, gamma=gamma, longest=longest).T
        return _survivors(out, spare)

    def relay(
        self, frontier: FloatArray, wiring: Wiring, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over artificial edges: the closest of each group, then the closest group of each target."""
        reached = np.flatnonzero(np.diff(wiring.target_start))
        out = np.full((frontier.shape[0], wiring.n_target), np.inf)
        closest = np.minimum.reduceat(frontier.take(wiring.member, axis=1), wiring.group_start[:-1], axis=1)
        if reached.size:
            starts = wiring.target_start[reached]
            out[:, reached] = np.minimum.reduceat(closest.take(wiring.target_group, axis=1), starts, axis=1)
        out = (out + gamma) + ARTIFICIAL_DISTANCE
        out[out > longest] = np.inf
        return _survivors(out, spare)

    def count(self, distances: FloatArray, rows: IntArray, *, unit: float, counts: CountArray) -> None:
        """Count the radii of every row."""
        n_rows, width = rows.size, counts.shape[1]
        row, target = np.nonzero(distances < np.inf)
        radii = np.maximum(1, np.rint(distances[row, target] / unit).astype(np.int64))
        cells = np.bincount(row * width + radii, minlength=n_rows * width)
        counts[rows] += cells.reshape(n_rows, width).astype(counts.dtype)


def _survivors(out: FloatArray, spare: int) -> tuple[FloatArray, IntArray]:
    alive = np.flatnonzero((out < np.inf).any(axis=1))
    kept = np.empty((alive.size + spare, out.shape[1]))
    kept[: alive.size] = out[alive]
    return kept, alive


def min_plus(
    frontier: FloatArray, nearest: IntArray, edge: FloatArray, *, gamma: float, longest: float
) -> FloatArray:
    """Return the product of some rows as an array of shape (n_target, n_rows), inf beyond the cut.

    Every row tries the shortest edges into each target. A longer one can only help where the closest
    source of the row plus that edge is still shorter than what was found: such pairs of target and row go
    on alone.

    Parameters
    ----------
    frontier : shape (n_rows, n_source), distances so far
    nearest : shape (n_target, n_source), sources of every target, closest first
    edge : shape (n_target, n_source), their distances
    gamma : cost of the hop
    longest : T
    """
    so_far = np.ascontiguousarray(frontier.T) + gamma
    n_dense = max(1, round(DENSE_SHARE * edge.shape[1]))
    best = np.full((edge.shape[0], frontier.shape[0]), np.nextafter(longest, np.inf))
    trial = np.empty_like(best)
    for p in range(n_dense):
        np.take(so_far, nearest[:, p], axis=0, out=trial, mode="clip")
        np.add(trial, edge[:, p, np.newaxis], out=trial)
        np.minimum(best, trial, out=best)
    _try_longer_edges(best, so_far, nearest, edge, n_dense)
    best[best > longest] = np.inf
    return best


def _try_longer_edges(
    best: FloatArray, so_far: FloatArray, nearest: IntArray, edge: FloatArray, n_tried: int
) -> None:
    """Go on from edge number `n_tried` with the pairs of target and row that can still get shorter."""
    (n_target, n_source), n_rows = edge.shape, best.shape[1]
    closest = so_far.min(axis=0)
    cell_of_nearest, edge = nearest.T * n_rows, np.vstack([edge.T, np.full(n_target, np.inf)])
    cell = np.flatnonzero(closest + edge[n_tried, :, np.newaxis] < best)
    target, row = np.divmod(cell, n_rows)
    found, floor = best.take(cell), closest.take(row)
    for p in range(n_tried, n_source):
        trial = so_far.take(cell_of_nearest[p].take(target) + row) + edge[p].take(target)
        found = np.minimum(found, trial)
        best.put(cell, found)
        going = np.flatnonzero(floor + edge[p + 1].take(target) < found)
        if not going.size:
            break
        cell, target, row = cell.take(going), target.take(going), row.take(going)
        found, floor = found.take(going), floor.take(going)
