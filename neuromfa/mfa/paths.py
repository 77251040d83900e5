"""Algorithms 5 and 6 for one neuron, directed or not: distances, the path itself, the ball and the mass.

`minplus` gives the same distances for all sources at once.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.distance import edges_of
from neuromfa.mfa.minplus import require_horizon, require_range
from neuromfa.network import SNIN, BoolArray, FloatArray, IntArray, SampleGraph


@dataclass(frozen=True, eq=False)
class PathGraph:
    """Edges by source, with neurons numbered layer after layer: the graph that paths walk on.

    The edges out of neuron v are numbers ``start[v]`` to ``start[v + 1]``, the shortest first.

    Attributes
    ----------
    start : int64 array of shape (n + 1,)
    target : int64 array of shape (n_edges,)
    distance : float64 array of shape (n_edges,), positive, unit 1/|w|
    artificial : bool array of shape (n_edges,), True for wiring
    offsets : int64 array of shape (n_layers + 1,), number of the first neuron of each layer, and n
    max_distance : T, beyond which there are no edges and no paths
    """

    start: IntArray
    target: IntArray
    distance: FloatArray
    artificial: BoolArray
    offsets: IntArray
    max_distance: float

    @property
    def n(self) -> int:
        """Number of neurons."""
        return self.start.size - 1

    @property
    def source(self) -> IntArray:
        """Source of every edge, shape (n_edges,)."""
        return np.repeat(np.arange(self.n), np.diff(self.start))

    def number(self, *, layer: int, position: int) -> int:
        """Return the number of a neuron; `OptionError` where the graph has no such layer or position."""
        n_layers = self.offsets.size - 1
        size = int(self.offsets[layer + 1] - self.offsets[layer]) if 0 <= layer < n_layers else 0
        if not 0 <= position < size:
            raise OptionError(
                f"no neuron {position} in layer {layer}: {n_layers} layers, this one of {size} neurons"
            )
        return int(self.offsets[layer]) + position

    def place(self, number: int) -> tuple[int, int]:
        """Return layer and position of a neuron; the inverse of `number`."""
        layer = int(np.searchsorted(self.offsets, number, side="right")) - 1
        return layer, number - int(self.offsets[layer])


@dataclass(frozen=True)
class Path:
    """A shortest path.

    Attributes
    ----------
    neurons : numbers from source to target; the source alone where both are the same
    edges : distance of each edge
    distance : d(P) = sum of the edges + gamma * (number of edges - 1); 0 without any edge
    """

    neurons: tuple[int, ...]
    edges: tuple[float, ...]
    distance: float


@dataclass(frozen=True, eq=False)
class NearNeurons:
    """The neurons within a path distance of one neuron, nearest first: itself at 0, then the others."""

    neurons: IntArray
    distances: FloatArray


@dataclass(frozen=True, eq=False)
class MassCurve:
    """N_i(r) of one neuron over path distances.

    Attributes
    ----------
    radii : int64 array of shape (m,), 1 ... round(T)
    masses : int64 array of shape (m,)
    """

    radii: IntArray
    masses: IntArray


def path_graph(
    network: SNIN | SampleGraph, *, max_distance: float, scale: float = 1.0, undirected: bool = False
) -> PathGraph:
    """Return the graph of a network's edges with d <= T; `undirected` adds every edge the other way round.

    Raises
    ------
    OptionError : a stored graph holds too few edges for `max_distance`
    """
    if isinstance(network, SNIN):
        links, _ = edges_of(network, scale=scale, max_distance=max_distance)
    else:
        require_range(network, max_distance)
        links = network.edges
    offsets = np.concatenate([[0], np.cumsum([layer.size for layer in network.layers])])
    columns = _Columns(
        np.concatenate([link.source + offsets[k] for k, link in enumerate(links)]),
        np.concatenate([link.target + offsets[k + 1] for k, link in enumerate(links)]),
        np.concatenate([link.distance for link in links]),
        np.repeat(network.artificial, [link.size for link in links]),
    )
    in_range = columns.where(columns.distance <= max_distance)
    return (in_range.both_ways() if undirected else in_range).by_source(offsets, max_distance)


def graph_of_edges(
    source: IntArray, target: IntArray, distance: FloatArray, *, n: int, undirected: bool = True
) -> PathGraph:
    """Return the graph of any edges, as one layer of n nodes without a cut; each edge is given once.

    Raises
    ------
    OptionError : a distance that is not positive and finite, or a node outside 0 ... n - 1
    """
    if not np.all((distance > 0.0) & (distance < np.inf)):
        raise OptionError("path distances need edges of positive, finite distance: leave the others out")
    ends = np.concatenate([source, target])
    if not np.all((ends >= 0) & (ends < n)):
        raise OptionError(f"an edge names a node outside 0 ... {n - 1}: give the right number of nodes")
    columns = _Columns(source, target, distance, np.zeros(source.size, dtype=np.bool_))
    return (columns.both_ways() if undirected else columns).by_source(np.array([0, n]), np.inf)


@dataclass(frozen=True, eq=False)
class _Columns:
    """Edges in any order, on their way into a graph."""

    source: IntArray
    target: IntArray
    distance: FloatArray
    artificial: BoolArray

    def where(self, edges: BoolArray | IntArray) -> "_Columns":
        return _Columns(self.source[edges], self.target[edges], self.distance[edges], self.artificial[edges])

    def both_ways(self) -> "_Columns":
        """Return every edge and, after them, every edge the other way round."""
        ends = np.concatenate([self.source, self.target]), np.concatenate([self.target, self.source])
        return _Columns(*ends, np.tile(self.distance, 2), np.tile(self.artificial, 2))

    def by_source(self, offsets: IntArray, max_distance: float) -> PathGraph:
        """Return the graph, the edges out of every neuron sorted by distance."""
        edges = self.where(np.lexsort((self.distance, self.source)))
        start = np.searchsorted(edges.source, np.arange(offsets[-1] + 1))
        return PathGraph(start, edges.target, edges.distance, edges.artificial, offsets, max_distance)


def _subgraph(graph: PathGraph, edges: BoolArray) -> PathGraph:
    before = np.concatenate([[0], np.cumsum(edges)])
    return replace(
        graph,
        start=before[graph.start],
        target=graph.target[edges],
        distance=graph.distance[edges],
        artificial=graph.artificial[edges],
    )


def distances_from(
    graph: PathGraph,
    source: int,
    *,
    gamma: float,
    max_distance: float | None = None,
    horizon: int | None = None,
) -> FloatArray:
    """Return the distance of the shortest path from one neuron to every other (Algorithm 5, reading).

    Parameters
    ----------
    graph : directed or undirected
    source : number of the neuron
    gamma : cost of every hop after the first, added in the order (distance so far + gamma) + d
    max_distance : the cut, d(P) <= T with gamma included; None takes the graph's
    horizon : paths stay within this many layers of the source (Algorithm 6, reading); None for no such limit

    Returns
    -------
    distances : float64 array of shape (n,), unit 1/|w|, inf where no path is within the cut, 0 at the source
    """
    longest = _longest(graph, max_distance)
    near = _near(graph, source, horizon)
    distances: FloatArray = relax(near, np.array([source]), gamma=gamma, longest=longest)[0]
    return distances


def _longest(graph: PathGraph, max_distance: float | None) -> float:
    if max_distance is None:
        return graph.max_distance
    if max_distance > graph.max_distance:
        raise OptionError(
            f"the graph was cut at distance {graph.max_distance:g}, below {max_distance:g}: ask for less"
        )
    return max_distance


def _near(graph: PathGraph, source: int, horizon: int | None) -> PathGraph:
    """Return the graph of the edges between layers at most `horizon` away from the source's."""
    _require_neuron(graph, source)
    require_horizon(horizon)
    if horizon is None:
        return graph
    layer, n_layers = graph.place(source)[0], graph.offsets.size - 1
    first, last = graph.offsets[max(0, layer - horizon)], graph.offsets[min(n_layers, layer + horizon + 1)]
    inside = (np.arange(graph.n) >= first) & (np.arange(graph.n) < last)
    return _subgraph(graph, inside[graph.source] & inside[graph.target])


def _require_neuron(graph: PathGraph, number: int) -> None:
    if not 0 <= number < graph.n:
        raise OptionError(f"no neuron {number}: the graph has {graph.n}, from 0")


def relax(graph: PathGraph, sources: IntArray, *, gamma: float, longest: float) -> FloatArray:
    """Return distances of shape (n_sources, n), one row for each source."""
    labels = np.full((sources.size, graph.n), np.inf)
    starts = np.arange(sources.size) * graph.n + sources
    flat = labels.reshape(-1)
    flat[starts] = 0.0
    correct_labels(flat, starts, graph, gamma=gamma, longest=longest)
    return labels


def correct_labels(
    labels: FloatArray, fallen: IntArray, graph: PathGraph, *, gamma: float, longest: float
) -> None:
    """Lower labels to path distances: try every edge out of a node whose label fell, until none falls.

    A sum of floats does not fall when one of its terms grows, so the labels end at the smallest of all
    path sums whatever the order of work: the same floats from every engine.

    Parameters
    ----------
    labels : float64 array of shape (k * n,), k searches one after another, changed in place; 0 at sources,
        else inf
    fallen : places of the sources in `labels`
    """
    toll = 0.0
    while fallen.size:
        row, node = np.divmod(fallen, graph.n)
        degrees = graph.start[node + 1] - graph.start[node]
        edges = _ranges(graph.start[node], degrees)
        trial = np.repeat(labels[fallen] + toll, degrees) + graph.distance[edges]
        reached = np.repeat(row * graph.n, degrees) + graph.target[edges]
        better = (trial <= longest) & (trial < labels[reached])
        np.minimum.at(labels, reached[better], trial[better])
        fallen, toll = np.unique(reached[better]), gamma


def _ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """Return the numbers of all ranges one after another."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))


def shortest_path(
    graph: PathGraph,
    source: int,
    target: int,
    *,
    gamma: float,
    max_distance: float | None = None,
    horizon: int | None = None,
) -> Path | None:
    """Return a shortest path between two neurons, None without one within the cut (Algorithm 5, reading).

    Among equally short paths it is one with the fewest hops. Options as in `distances_from`.
    """
    _require_neuron(graph, target)
    distances = distances_from(graph, source, gamma=gamma, max_distance=max_distance, horizon=horizon)
    if distances[target] == np.inf:
        return None
    # Beyond the horizon distances are inf, so no edge there is tight.
    before = _predecessors(graph, source, distances, gamma)
    neurons = [target]
    while neurons[-1] != source:
        neurons.append(int(before[neurons[-1]]))
    neurons.reverse()
    edges = tuple(_edge(graph, tail, head) for tail, head in pairwise(neurons))
    return Path(tuple(neurons), edges, float(distances[target]))


def _predecessors(graph: PathGraph, source: int, distances: FloatArray, gamma: float) -> IntArray:
    """Return the neuron before each on a shortest path, by breadth-first search along tight edges."""
    from scipy.sparse import csr_array  # both take time to load, for those who ask for a path
    from scipy.sparse.csgraph import breadth_first_order

    tight = tight_edges(graph, distances, gamma=gamma)
    ends = graph.source[tight], graph.target[tight]
    taken = csr_array((np.ones(ends[0].size, dtype=np.bool_), ends), shape=(graph.n, graph.n))
    before: IntArray = breadth_first_order(taken, source)[1]
    return before


def tight_edges(graph: PathGraph, distances: FloatArray, *, gamma: float) -> BoolArray:
    """Return which edges lie on a shortest path from the sources, where distances are 0; shape (n_edges,)."""
    so_far = np.where(distances == 0.0, 0.0, distances + gamma)
    arrival = distances[graph.target]
    tight: BoolArray = (so_far[graph.source] + graph.distance == arrival) & (arrival < np.inf)
    return tight


def _edge(graph: PathGraph, tail: int, head: int) -> float:
    edges = slice(graph.start[tail], graph.start[tail + 1])
    return float(graph.distance[edges][graph.target[edges] == head].min())


def ball(
    graph: PathGraph, source: int, *, radius: float, gamma: float, horizon: int | None = None
) -> NearNeurons:
    """Return the neurons within a path distance of one neuron, artificial edges walked like any other."""
    distances = distances_from(graph, source, gamma=gamma, max_distance=radius, horizon=horizon)
    inside = np.flatnonzero(distances < np.inf)
    nearest = inside[np.argsort(distances[inside], kind="stable")]
    return NearNeurons(nearest, distances[nearest])


def mass_curve(
    graph: PathGraph,
    source: int,
    *,
    gamma: float,
    max_distance: float | None = None,
    horizon: int | None = None,
) -> MassCurve:
    """Return N_i(r) = 1 + #{ j : max(1, round(d_ij)) <= r } of one neuron over its paths (ours).

    A neuron counts when the shortest path to it holds a weighted edge.
    """
    longest = _longest(graph, max_distance)
    if longest == np.inf:
        raise OptionError("a mass curve ends at a largest radius: give max_distance")
    near = _near(graph, source, horizon)
    start = np.array([source])
    distances = relax(near, start, gamma=gamma, longest=longest)[0]
    unweighted = relax(_subgraph(near, near.artificial), start, gamma=gamma, longest=longest)[0]
    counted = distances[distances < unweighted]
    radii = np.maximum(1, np.rint(counted).astype(np.int64))
    largest = max(1, int(np.rint(longest)))
    masses = 1 + np.cumsum(np.bincount(radii, minlength=largest + 1)[1:])
    return MassCurve(np.arange(1, largest + 1), masses)
