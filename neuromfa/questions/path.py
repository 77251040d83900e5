"""The weighted shortest path between two neurons (Algorithm 5) and its estimate within a few layers (Algorithm 6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.mfa.paths import distances_from, path_graph
from neuromfa.questions.engine.by_cypher import place_of
from neuromfa.questions.engine.by_numpy import name_at, part_of, place_in
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.records import Edge, NeuronPlace
from neuromfa.questions.engine.relaxation import relax_layers
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import MOST_LAYERS, USUAL, Gamma, HorizonOrAll, MaxDistance, NeuronName

PathMethod = Annotated[
    Literal["exact", "estimate"], Field(description="Algorithm 5, or Algorithm 6 within `horizon` layers.")
]


@dataclass(frozen=True)
class ShortestPathAnswer:
    """A shortest path, or why there is none."""

    __pydantic_config__ = DOCUMENTED

    source: NeuronName
    target: NeuronName
    method: PathMethod
    gamma: Gamma
    max_distance: MaxDistance
    horizon: HorizonOrAll
    distance: float | None
    """d(P) = sum of the edges + gamma * (hops - 1), added from the source on; null without a path; unit
    1/|w|."""
    reason: str | None
    """Why there is no path, else null."""
    edges: tuple[Edge, ...]
    """The path from source to target; of equally short ones that over the lowest neurons, seen from the
    target."""


class ShortestPath(SampleQuestion[ShortestPathAnswer]):
    """The weighted shortest path between two neurons (Algorithm 5), or its estimate within a few layers (Algorithm 6).

    Edges and wiring are walked alike; edges and paths beyond `max_distance` do not count.
    """

    about = About("path", "path", Faster(cold="cypher", warm="numpy"))

    source: NeuronName
    target: Annotated[NeuronName, Field(examples=["B01.mlp.00430"])]
    method: PathMethod = "exact"
    gamma: Gamma = USUAL.gamma
    max_distance: MaxDistance = USUAL.max_distance
    horizon: Annotated[int, Field(ge=1, lt=MOST_LAYERS)] = 1
    """Number of layers an estimate reaches."""

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` for a range beyond what was stored."""
        sample.require_range(self.max_distance)

    def by_cypher(self, sample: StoredSample) -> ShortestPathAnswer:
        """Relax one layer after another, then ask for the edges into each neuron of the path."""
        start, end = place_of(sample, self.source), place_of(sample, self.target)
        settled = self._settled(start, end)
        if settled is not None:
            return settled
        first, longest = sample.manifest.first_key, self.max_distance
        distances = relax_layers(
            sample, start.number, layer=start.layer, last=end.layer, gamma=self.gamma, longest=longest
        )

        def edges_into(number: int, name: str, _: int) -> list[tuple[int, Edge]]:
            rows = sample.rows("edges_into", key=first + number, longest=longest)
            return [
                (row["source"] - first, Edge(row["name"], name, row["distance"], row["weight"]))
                for row in rows
            ]

        edges = _walk_back(start, end, distances, edges_into, self.gamma)
        return self._answer(distance=distances.get(end.number, np.inf), edges=edges)

    def by_numpy(self, sample: StoredSample) -> ShortestPathAnswer:
        """Relax the layers between both neurons."""
        start, end = place_in(sample, self.source), place_in(sample, self.target)
        settled = self._settled(start, end)
        if settled is not None:
            return settled
        graph, offsets = sample.graph(), sample.offsets
        first = int(offsets[start.layer])
        paths = path_graph(part_of(graph, start.layer, end.layer), max_distance=self.max_distance)
        found = distances_from(paths, start.number - first, gamma=self.gamma)
        distances = {first + i: float(found[i]) for i in np.flatnonzero(found < np.inf).tolist()}

        def edges_into(number: int, name: str, layer: int) -> list[tuple[int, Edge]]:
            columns = graph.edges[layer - 1]
            into = (columns.target == number - offsets[layer]) & (columns.distance <= self.max_distance)
            lists = (columns.source[into], columns.distance[into], columns.weight[into])
            wiring = graph.artificial[layer - 1]
            return [
                (
                    int(offsets[layer - 1]) + source,
                    Edge(name_at(graph, layer - 1, source), name, d, None if wiring else w),
                )
                for source, d, w in zip(*(values.tolist() for values in lists), strict=True)
            ]

        edges = _walk_back(start, end, distances, edges_into, self.gamma)
        return self._answer(distance=distances.get(end.number, np.inf), edges=edges)

    @property
    def _reach(self) -> int | None:
        """Layers a path may reach, None for all."""
        return self.horizon if self.method == "estimate" else None

    def _settled(self, start: NeuronPlace, end: NeuronPlace) -> ShortestPathAnswer | None:
        """Return the answer where the places of both neurons give it, else None."""
        apart = end.layer - start.layer
        if start.number == end.number:
            return self._answer(distance=0.0)
        if apart <= 0:
            return self._complete(None, "the target stands in no later layer than the source", ())
        if self._reach is not None and apart > self._reach:
            reason = f"the target is {apart} layers away and the estimate reaches {self._reach}"
            return self._complete(None, reason, ())
        return None

    def _answer(self, *, distance: float, edges: tuple[Edge, ...] = ()) -> ShortestPathAnswer:
        """Return the answer for a distance, inf where no path is within the cut."""
        reason = None if distance < np.inf else f"no path is within the distance {self.max_distance:g}"
        return self._complete(None if reason else distance, reason, edges)

    def _complete(
        self, distance: float | None, reason: str | None, edges: tuple[Edge, ...]
    ) -> ShortestPathAnswer:
        return ShortestPathAnswer(
            source=self.source,
            target=self.target,
            method=self.method,
            gamma=self.gamma,
            max_distance=self.max_distance,
            horizon=self._reach,
            distance=distance,
            reason=reason,
            edges=edges,
        )


def _walk_back(
    start: NeuronPlace,
    end: NeuronPlace,
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
