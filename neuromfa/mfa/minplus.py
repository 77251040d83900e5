"""Algorithms 5 and 6 for all sources at once: path distances over the layers, by (min,+) products with a cut.

The distances to layer t + 1 are the (min,+) product of those to layer t with the edges between the two; a
source that reaches nothing within T is dropped. So each link is taken once, in order, and memory holds
the sources on their way.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.distance import edge_distances
from neuromfa.mfa.products import Engine, Products, Wiring, fold, products_of
from neuromfa.network import (
    SNIN,
    BoolArray,
    EdgeColumns,
    FloatArray,
    IntArray,
    Link,
    SampleGraph,
    WeightArray,
)

Step = FloatArray | Wiring
Watch = Callable[[WeightArray, FloatArray], None]


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
    """Yield exact path distances from every neuron, layer by layer (Algorithm 5, reading).

    Parameters
    ----------
    network : a sampled network, or one read back from a store (whose distances stand: `scale` is not used)
    gamma : cost of every hop after the first
    max_distance : T; edges beyond it do not enter, and paths are cut at d(P) <= T, gamma included
    horizon : a source reaches only this many next layers (Algorithm 6, reading); None for no such limit
    engine : ``numba``, ``numpy``, or ``auto`` for the first that is installed; the same floats from both

    Raises
    ------
    OptionError : a horizon below 1, no numba, or a stored graph that holds too few edges for `max_distance`
    """
    steps = link_steps(network, scale=scale, max_distance=max_distance)
    return sweep(steps, gamma=gamma, longest=max_distance, horizon=horizon, engine=engine)


def sweep(
    steps: Iterable[Step],
    *,
    gamma: float,
    longest: float,
    horizon: int | None = None,
    sources: Collection[int] | None = None,
    engine: Engine = "auto",
) -> Iterator[LayerDistances]:
    """Yield the distances to layers 1, 2 ... as steps come; `sources` are layers to start from, None all."""
    require_horizon(horizon)
    products = products_of(engine)
    frontier, origin, starts = np.empty((0, 0)), np.empty(0, dtype=np.int64), [0]
    for k, step in enumerate(steps):
        n_source = step.n_source if isinstance(step, Wiring) else step.shape[0]
        n_new = n_source if sources is None or k in sources else 0
        if horizon is not None:
            near = np.searchsorted(origin, starts[max(0, k + 1 - horizon)])
            frontier, origin = frontier[near:], origin[near:]
        frontier = frontier.reshape(origin.size, n_source)
        frontier, alive = _advance(products, frontier, step, gamma, longest, n_new)
        frontier[alive.size :] = _first_hop(step, longest)[:n_new]
        origin = np.concatenate([origin[alive], np.arange(starts[k], starts[k] + n_new)])
        starts.append(starts[k] + n_source)
        yield LayerDistances(k + 1, origin, frontier)


def require_horizon(horizon: int | None) -> None:
    """Raise `OptionError` for a horizon below one layer."""
    if horizon is not None and horizon < 1:
        raise OptionError(f"a horizon is 1 layer or more, not {horizon}")


def _advance(
    products: Products, frontier: FloatArray, step: Step, gamma: float, longest: float, spare: int
) -> tuple[FloatArray, IntArray]:
    if isinstance(step, Wiring):
        return products.relay(frontier, step, gamma=gamma, longest=longest, spare=spare)
    return products.product(frontier, step, gamma=gamma, longest=longest, spare=spare)


def _first_hop(step: Step, longest: float) -> FloatArray:
    """Return the distances of single edges, to which no gamma belongs."""
    return step.edges(longest=longest) if isinstance(step, Wiring) else step


def link_steps(
    network: SNIN | SampleGraph,
    *,
    scale: float,
    max_distance: float,
    rescale: float = 1.0,
    watch: Watch | None = None,
) -> Iterator[Step]:
    """Yield what each link does to distances: a matrix of edges (n_source, n_target), inf = none, or wiring.

    `rescale` multiplies the distances of weighted edges; `watch` is shown the weights and distances of
    each such link.
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


def _link_step(link: Link, scale: float, max_distance: float, rescale: float, watch: Watch | None) -> Step:
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
    distances = columns.distance * rescale
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
