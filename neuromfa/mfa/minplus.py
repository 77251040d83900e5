"""Algorithms 5 and 6 for all sources at once: path distances over the layers, by (min,+) products with a cut.

The distances to layer t + 1 are the (min,+) product of those to layer t with the edges between the two, and a product
at which a source reaches nothing within T drops it. So each link is taken once, in order, and memory holds the sources
still on their way.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, Protocol

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.distance import CountArray, edge_distances
from neuromfa.network import (
    ARTIFICIAL_DISTANCE,
    SNIN,
    BoolArray,
    EdgeColumns,
    FloatArray,
    IntArray,
    Link,
    SampleGraph,
    WeightArray,
)

Engine = Literal["auto", "numba", "numpy"]
Watch = Callable[[WeightArray, FloatArray], None]

# Rows of the frontier worked on together in numpy: their block of float64 stays in the cache of one core.
BLOCK_ROWS = 512
# The share of each target's edges, shortest first, that all rows try; few rows need more, and those go on alone.
DENSE_SHARE = 3 / 16


@dataclass(frozen=True, eq=False)
class Wiring:
    """Artificial edges of one link; sources wired to the same targets form a group and count as one.

    Attributes
    ----------
    member, group_start : the sources of group g are ``member[group_start[g]:group_start[g + 1]]``
    target_group, target_start : the groups wired to target j are ``target_group[target_start[j]:target_start[j + 1]]``
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


@dataclass(frozen=True, eq=False)
class LayerDistances:
    """Path distances to one layer, from all neurons of earlier layers that reach it within the cut.

    Attributes
    ----------
    layer : index of the layer reached
    sources : int64 array of shape (n_sources,), running numbers of the sources over all layers, ascending
    distances : float64 array of shape (n_sources, layer size), inf = no path within the cut
    """

    layer: int
    sources: IntArray
    distances: FloatArray


def layer_distances(
    network: SNIN | SampleGraph,
    *,
    gamma: float,
    max_distance: float,
    scale: float = 1.0,
    horizon: int | None = None,
    engine: Engine = "auto",
) -> Iterator[LayerDistances]:
    """Yield exact path distances from every neuron, layer by layer (Algorithm 5, reading; Algorithm 6 with `horizon`).

    Parameters
    ----------
    network : a sampled network, or one read back from a store (whose distances stand, `scale` is not used)
    gamma : cost of every hop after the first
    max_distance : T; edges beyond it do not enter, and paths are cut at d(P) <= T, gamma included
    horizon : a source reaches only this many next layers; None reaches as far as the cut allows
    engine : ``numba``, ``numpy``, or ``auto`` for the first that is installed; the answers are the same floats

    Raises
    ------
    OptionError : a horizon below 1, no numba, or a stored graph that holds too few edges for `max_distance`
    """
    steps = link_steps(network, scale=scale, max_distance=max_distance)
    return sweep(steps, gamma=gamma, longest=max_distance, horizon=horizon, engine=engine)


def link_steps(
    network: SNIN | SampleGraph,
    *,
    scale: float,
    max_distance: float,
    rescale: float = 1.0,
    watch: Watch | None = None,
) -> Iterator[FloatArray | Wiring]:
    """Yield what each link does to distances: a matrix of edges (n_source, n_target), inf = none, or wiring.

    `rescale` multiplies the distances of weighted edges; `watch` is shown the weights and distances of each such link.
    """
    if isinstance(network, SNIN):
        for link in network.links:
            yield _link_step(link, scale, max_distance, rescale, watch)
        return
    require_range(network, max_distance, rescale=rescale)
    for k, columns in enumerate(network.edges):
        shape = network.layers[k].size, network.layers[k + 1].size
        if network.artificial[k]:
            yield fold(_wiring_of(columns, shape))
        else:
            yield _columns_step(columns, shape, max_distance, rescale, watch)


def require_range(graph: SampleGraph, max_distance: float, *, rescale: float = 1.0) -> None:
    """Raise `OptionError` where a stored graph was written without edges that are in range now."""
    if max_distance > graph.max_distance * rescale:
        raise OptionError(
            f"the stored graph holds edges up to distance {graph.max_distance:g}, too few for paths up to "
            f"{max_distance:g}: ask for less, or ingest with a larger graph_max_distance"
        )


def _link_step(
    link: Link, scale: float, max_distance: float, rescale: float, watch: Watch | None
) -> FloatArray | Wiring:
    if link.wiring is not None:
        return fold(link.wiring)
    if link.weights is None:
        raise ValueError(f"link {link.matrix} has neither weights nor wiring")
    distances = edge_distances(link.weights, scale=scale, rescale=rescale)
    if watch is not None:
        watch(link.weights, distances)
    in_range = (distances > 0.0) & (distances <= max_distance)
    return np.ascontiguousarray(np.where(in_range, distances, np.inf).T)


def _columns_step(
    columns: EdgeColumns, shape: tuple[int, int], max_distance: float, rescale: float, watch: Watch | None
) -> FloatArray:
    distances = columns.distance if rescale == 1.0 else columns.distance * rescale
    if watch is not None:
        watch(columns.weight, distances)
    edges = np.full(shape, np.inf)
    in_range = distances <= max_distance
    edges[columns.source[in_range], columns.target[in_range]] = distances[in_range]
    return edges


def _wiring_of(columns: EdgeColumns, shape: tuple[int, int]) -> BoolArray:
    wiring = np.zeros(shape[::-1], dtype=np.bool_)
    wiring[columns.target, columns.source] = True
    return wiring


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
    """One step of a sweep, in numba or in numpy.

    Both return the rows that still reach something, with `spare` rows to fill after them, and which rows these are.
    """

    def product(
        self, frontier: FloatArray, edges: FloatArray, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over weighted edges."""
        ...

    def relay(
        self, frontier: FloatArray, wiring: Wiring, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        """Advance over artificial edges."""
        ...

    def count(self, distances: FloatArray, rows: IntArray, *, unit: float, counts: CountArray) -> None:
        """Add 1 to ``counts[rows[i], max(1, round(d / unit))]`` for every finite distance d of row i; rows differ."""
        ...


def sweep(
    steps: Iterable[FloatArray | Wiring],
    *,
    gamma: float,
    longest: float,
    horizon: int | None = None,
    sources: Collection[int] | None = None,
    engine: Engine = "auto",
) -> Iterator[LayerDistances]:
    """Yield the distances to layers 1, 2 ... while steps come; `sources` are the layers to start from (None: all)."""
    if horizon is not None and horizon < 1:
        raise OptionError(f"a horizon is 1 layer or more, not {horizon}")
    products = products_of(engine)
    frontier, origin, offsets = np.empty((0, 0)), np.empty(0, dtype=np.int64), [0]
    for k, step in enumerate(steps):
        n_source = step.n_source if isinstance(step, Wiring) else step.shape[0]
        new = np.arange(offsets[k], offsets[k] + (n_source if sources is None or k in sources else 0))
        offsets.append(offsets[k] + n_source)
        if horizon is not None:
            near = int(np.searchsorted(origin, offsets[max(0, k + 1 - horizon)]))
            frontier, origin = frontier[near:], origin[near:]
        frontier, alive = _advance(products, frontier.reshape(origin.size, n_source), step, gamma, longest, new.size)
        frontier[alive.size :] = _first_hop(step, longest)[: new.size]
        origin = np.concatenate([origin[alive], new])
        yield LayerDistances(k + 1, origin, frontier)


def _advance(
    products: Products,
    frontier: FloatArray,
    step: FloatArray | Wiring,
    gamma: float,
    longest: float,
    spare: int,
) -> tuple[FloatArray, IntArray]:
    if isinstance(step, Wiring):
        return products.relay(frontier, step, gamma=gamma, longest=longest, spare=spare)
    return products.product(frontier, step, gamma=gamma, longest=longest, spare=spare)


def _first_hop(step: FloatArray | Wiring, longest: float) -> FloatArray:
    """Return the distances of single edges, to which no gamma belongs."""
    if not isinstance(step, Wiring):
        return step
    by_group = np.full((step.group_start.size - 1, step.n_target), np.inf)
    if longest >= ARTIFICIAL_DISTANCE:
        targets = np.repeat(np.arange(step.n_target), np.diff(step.target_start))
        by_group[step.target_group, targets] = ARTIFICIAL_DISTANCE
    edges = np.empty((step.n_source, step.n_target))
    edges[step.member] = np.repeat(by_group, np.diff(step.group_start), axis=0)
    return edges


def products_of(engine: Engine) -> Products:
    """Return the products of an engine; ``auto`` is numba where it is installed (extra ``fast``)."""
    installed = find_spec("numba") is not None
    if engine == "numba" and not installed:
        raise OptionError("engine numba is not installed: pip install 'neuromfa[fast]', or use numpy")
    return _NumbaProducts() if installed and engine != "numpy" else _NumpyProducts()


class _NumbaProducts:
    """Products compiled on first use; the import waits until then because numba takes a second to load."""

    def product(
        self, frontier: FloatArray, edges: FloatArray, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        from neuromfa.mfa import _kernels

        out, alive = _room(frontier, edges.shape[1], spare)
        count = _kernels.min_plus(frontier, edges, edges.min(axis=1), gamma, longest, out, alive)
        return out[: count + spare], alive[:count]

    def relay(
        self, frontier: FloatArray, wiring: Wiring, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        from neuromfa.mfa import _kernels

        out, alive = _room(frontier, wiring.n_target, spare)
        lists = wiring.member, wiring.group_start, wiring.target_group, wiring.target_start
        count = _kernels.relay(frontier, *lists, gamma, ARTIFICIAL_DISTANCE, longest, out, alive)
        return out[: count + spare], alive[:count]

    def count(self, distances: FloatArray, rows: IntArray, *, unit: float, counts: CountArray) -> None:
        from neuromfa.mfa import _kernels

        _kernels.count_radii(distances, rows, unit, counts)


def _room(frontier: FloatArray, n_target: int, spare: int) -> tuple[FloatArray, IntArray]:
    n_rows = frontier.shape[0]
    return np.empty((n_rows + spare, n_target)), np.empty(n_rows, dtype=np.int64)


class _NumpyProducts:
    """The same without numba, about eight times slower."""

    def product(
        self, frontier: FloatArray, edges: FloatArray, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        edges_of_target = np.ascontiguousarray(edges.T)
        nearest = np.argsort(edges_of_target, axis=1)
        edge = np.take_along_axis(edges_of_target, nearest, axis=1)
        blocks = [
            min_plus_block(frontier[start : start + BLOCK_ROWS], nearest, edge, gamma=gamma, longest=longest)
            for start in range(0, frontier.shape[0], BLOCK_ROWS)
        ]
        return _survivors(blocks, n_target=edges.shape[1], spare=spare)

    def relay(
        self, frontier: FloatArray, wiring: Wiring, *, gamma: float, longest: float, spare: int
    ) -> tuple[FloatArray, IntArray]:
        reached = np.flatnonzero(np.diff(wiring.target_start))
        out = np.full((wiring.n_target, frontier.shape[0]), np.inf)
        if reached.size:
            closest = np.minimum.reduceat(frontier.T[wiring.member], wiring.group_start[:-1], axis=0)
            starts = wiring.target_start[reached]
            out[reached] = np.minimum.reduceat(closest[wiring.target_group], starts, axis=0)
        out = (out + gamma) + ARTIFICIAL_DISTANCE
        out[out > longest] = np.inf
        return _survivors([out], n_target=wiring.n_target, spare=spare)

    def count(self, distances: FloatArray, rows: IntArray, *, unit: float, counts: CountArray) -> None:
        finite = distances < np.inf
        radii = np.maximum(1, np.rint(distances[finite] / unit).astype(np.int64))
        width = counts.shape[1]
        cells = np.nonzero(finite)[0] * width + radii
        counts[rows] += np.bincount(cells, minlength=rows.size * width).reshape(rows.size, width).astype(counts.dtype)


def _survivors(
    blocks: list[FloatArray], *, n_target: int, spare: int
) -> tuple[FloatArray, IntArray]:
    """Return, of blocks (n_target, n_rows), the rows with anything finite as (n_alive + spare, n_target)."""
    reaching = np.concatenate([(block < np.inf).any(axis=0) for block in blocks] or [np.empty(0, dtype=np.bool_)])
    alive = np.flatnonzero(reaching)
    out = np.empty((alive.size + spare, n_target))
    filled, seen = 0, 0
    for block in blocks:
        rows = np.flatnonzero(reaching[seen : seen + block.shape[1]])
        out[filled : filled + rows.size] = block.T[rows]
        filled, seen = filled + rows.size, seen + block.shape[1]
    return out, alive


def min_plus_block(
    frontier: FloatArray, nearest: IntArray, edge: FloatArray, *, gamma: float, longest: float
) -> FloatArray:
    """Return the (min,+) product of some rows with edges sorted by length, as (n_target, n_rows), inf beyond the cut.

    Every row tries the shortest edges of each target. The others can only help where the closest source of the row
    plus the next edge is still shorter than what was found: those pairs of target and row go on alone.

    Parameters
    ----------
    frontier : shape (n_rows, n_source)
    nearest : shape (n_target, n_source), sources of every target, closest first
    edge : shape (n_target, n_source), their distances
    """
    so_far = np.ascontiguousarray(frontier.T) + gamma
    n_dense = max(1, round(DENSE_SHARE * edge.shape[1]))
    best = np.full((edge.shape[0], frontier.shape[0]), np.nextafter(longest, np.inf))
    trial = np.empty_like(best)
    for p in range(n_dense):
        np.take(so_far, nearest[:, p], axis=0, out=trial, mode="clip")
        np.add(trial, edge[:, p, np.newaxis], out=trial)
        np.minimum(best, trial, out=best)
    _finish(best, so_far, nearest, edge, n_dense)
    best[best > longest] = np.inf
    return best


def _finish(best: FloatArray, so_far: FloatArray, nearest: IntArray, edge: FloatArray, n_dense: int) -> None:
    """Try the longer edges, from number `n_dense` on, for the pairs of target and row they can still help."""
    n_target, n_source = edge.shape
    n_rows = best.shape[1]
    closest = so_far.min(axis=0)
    nearest_cell, edge = nearest.T * n_rows, np.vstack([edge.T, np.full(n_target, np.inf)])
    cell = np.flatnonzero(closest + edge[n_dense, :, np.newaxis] < best)
    target, row = np.divmod(cell, n_rows)
    found, floor = best.take(cell), closest.take(row)
    for p in range(n_dense, n_source):
        trial = so_far.take(nearest_cell[p].take(target) + row) + edge[p].take(target)
        found = np.minimum(found, trial)
        best.put(cell, found)
        going = np.flatnonzero(floor + edge[p + 1].take(target) < found)
        if not going.size:
            break
        cell, target, row = cell.take(going), target.take(going), row.take(going)
        found, floor = found.take(going), floor.take(going)
