"""The weighted shortest path between two neurons (Algorithm 5) and its estimate within a few layers (Algorithm 6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.paths import distances_from, path_graph
from neuromfa.questions.engine.by_cypher import place_of
from neuromfa.questions.engine.by_numpy import name_at, part_of, place_in
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.records import Edge, Place
from neuromfa.questions.engine.relaxation import relax_layers
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import USUAL, StoredSample

PathMethod = Literal["exact", "estimate"]


@dataclass(frozen=True)
class PathAnswer:
    """A shortest path, or why there is none.

    Attributes
    ----------
    source, target : names
    method : ``exact``, or ``estimate`` for targets within `horizon` layers only
    gamma, max_distance : cost of every hop after the first; T, up to which a path counts, gamma included
    horizon : layers an estimate may reach; None for exact paths
    distance : d(P) = sum of the edges + gamma * (hops - 1), added from the source on; None without a path
    reason : None, or why there is no path
    edges : the path itself, from source to target; of equally short ones that of the lowest neurons, seen from the
        target
    """

    source: str
    target: str
    method: PathMethod
    gamma: float
    max_distance: float
    horizon: int | None
    distance: float | None
    reason: str | None
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class _Request:
    source: str
    target: str
    method: PathMethod
    gamma: float
    longest: float
    horizon: int | None

    def answer(self, *, distance: float, edges: tuple[Edge, ...] = ()) -> PathAnswer:
        """Return the answer for a distance, inf where no path is within the cut."""
        reason = None if distance < np.inf else f"no path is within the distance {self.longest:g}"
        return self._complete(None if reason else distance, reason, edges)

    def settled(self, start: Place, end: Place) -> PathAnswer | None:
        """Return the answer where the places of both neurons give it, else None."""
        apart = end.layer - start.layer
        if start.number == end.number:
            return self.answer(distance=0.0)
        if apart <= 0:
            return self._complete(None, "the target stands in no later layer than the source", ())
        if self.horizon is not None and apart > self.horizon:
            reason = f"the target is {apart} layers away and the estimate reaches {self.horizon}"
            return self._complete(None, reason, ())
        return None

    def _complete(self, distance: float | None, reason: str | None, edges: tuple[Edge, ...]) -> PathAnswer:
        return PathAnswer(
            source=self.source,
            target=self.target,
            method=self.method,
            gamma=self.gamma,
            max_distance=self.longest,
            horizon=self.horizon,
            distance=distance,
            reason=reason,
            edges=edges,
        )


def shortest_path(
    sample: StoredSample,
    source: str,
    target: str,
    *,
    method: PathMethod = "exact",
    gamma: float = USUAL.gamma,
    max_distance: float = USUAL.max_distance,
    horizon: int = 1,
    engine: EngineChoice = "auto",
) -> PathAnswer:
    """Return the shortest path from one neuron to another, edges and wiring walked alike.

    Parameters
    ----------
    source, target : names of neurons
    method : ``exact`` (Algorithm 5, reading), or ``estimate`` (Algorithm 6, reading)
    gamma : cost of every hop after the first
    max_distance : T, edges and paths beyond it do not count
    horizon : layers that an estimate reaches, k

    Raises
    ------
    NotStored : no neuron of one of these names
    OptionError : a value outside what is allowed
    """
    if method not in get_args(PathMethod):
        raise OptionError(f"method is {' or '.join(get_args(PathMethod))}, not {method!r}")
    sample.require_range(max_distance)
    require_gamma(gamma)
    if horizon < 1:
        raise OptionError(f"horizon is 1 layer or more, not {horizon}")
    reach = horizon if method == "estimate" else None
    request = _Request(source, target, method, gamma, max_distance, reach)
    by_cypher, by_numpy = partial(_by_cypher, request=request), partial(_by_numpy, request=request)
    return ask("path", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def require_gamma(gamma: float) -> None:
    """Raise `OptionError` for a cost that is negative or not finite."""
    if not 0.0 <= gamma < np.inf:
        raise OptionError(f"gamma is 0 or more, not {gamma}")


def _by_cypher(asked: Asked, *, request: _Request) -> PathAnswer:
    start, end = place_of(asked, request.source), place_of(asked, request.target)
    settled = request.settled(start, end)
    if settled is not None:
        return settled
    gamma, longest = request.gamma, request.longest
    distances = relax_layers(
        asked, start.number, layer=start.layer, last=end.layer, gamma=gamma, longest=longest
    )

    def edges_into(number: int, name: str, _: int) -> list[tuple[int, Edge]]:
        first = asked.manifest.first_key
        rows = asked.rows("edges_into", key=first + number, longest=longest)
        return [
            (row["source"] - first, Edge(row["name"], name, row["distance"], row["weight"])) for row in rows
        ]

    edges = _walk_back(start, end, distances, edges_into, gamma)
    return request.answer(distance=distances.get(end.number, np.inf), edges=edges)


def _by_numpy(asked: Asked, *, request: _Request) -> PathAnswer:
    start, end = place_in(asked, request.source), place_in(asked, request.target)
    settled = request.settled(start, end)
    if settled is not None:
        return settled
    graph, offsets = asked.graph(), asked.sample.offsets
    first = int(offsets[start.layer])
    paths = path_graph(part_of(graph, start.layer, end.layer), max_distance=request.longest)
    found = distances_from(paths, start.number - first, gamma=request.gamma)
    distances = {first + i: float(found[i]) for i in np.flatnonzero(found < np.inf).tolist()}

    def edges_into(number: int, name: str, layer: int) -> list[tuple[int, Edge]]:
        columns = graph.edges[layer - 1]
        into = (columns.target == number - offsets[layer]) & (columns.distance <= request.longest)
        lists = (columns.source[into], columns.distance[into], columns.weight[into])
        return [
            (
                int(offsets[layer - 1]) + source,
                Edge(name_at(graph, layer - 1, source), name, d, None if graph.artificial[layer - 1] else w),
            )
            for source, d, w in zip(*(values.tolist() for values in lists), strict=True)
        ]

    edges = _walk_back(start, end, distances, edges_into, request.gamma)
    return request.answer(distance=distances.get(end.number, np.inf), edges=edges)


def _walk_back(
    start: Place,
    end: Place,
    distances: Mapping[int, float],
    edges_into: Callable[[int, str, int], list[tuple[int, Edge]]],
    gamma: float,
) -> tuple[Edge, ...]:
    """Return the path from its end on, at each step over the tight edge from the lowest neuron."""
    number, name, layer = end.number, end.name, end.layer
    path: list[Edge] = []
    while number in distances and number != start.number:
        number, edge = min(
            (
                (before, edge)
                for before, edge in edges_into(number, name, layer)
                if before in distances
                and (distances[before] + (gamma if before != start.number else 0.0)) + edge.distance
                == distances[number]
            ),
            key=lambda step: step[0],
        )
        path.append(edge)
        name, layer = edge.source, layer - 1
    return tuple(reversed(path))
