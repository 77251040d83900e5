"""The part of a sample that can be drawn: the strongest edges of each link of some layers, and their neurons."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import OptionError
from neuromfa.graph.manifest import LayerShape, Manifest
from neuromfa.network import EdgeColumns, FloatArray, IntArray, Layer, NeuronMeasures, Part, SampleGraph
from neuromfa.questions.engine.by_cypher import edge_of, neuron_of
from neuromfa.questions.engine.by_numpy import edges_of_link, neuron_at, strongest_of, taken, weighted
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.records import Edge, GraphAnswer, Neuron
from neuromfa.questions.engine.subjects import Row, StoredSample

MOST_EDGES = 5000

LinkTop = Annotated[
    int, Field(ge=1, le=MOST_EDGES, description="Strongest edges of each link, and as much of its wiring.")
]


@dataclass(frozen=True)
class SubgraphAnswer(GraphAnswer):
    """A part of a sample."""

    __pydantic_config__ = DOCUMENTED

    first_layer: int
    """Running number of the first layer shown."""
    last_layer: int
    """Running number of the last layer shown."""
    top: LinkTop
    neurons: tuple[Neuron, ...]
    """The ends of the edges, by place."""
    edges: tuple[Edge, ...]
    """Link after link: weighted ones the strongest first, wiring between neurons that are shown by place."""

    @property
    def title(self) -> str:
        """The layers it shows."""
        return f"layers{self.first_layer}-{self.last_layer}"

    def as_graph(self, manifest: Manifest) -> SampleGraph:
        """Return the part as a graph: the same layers, fewer neurons in each, places counted anew."""
        rows = [
            [each for each in self.neurons if each.layer == k]
            for k in range(self.first_layer, self.last_layer + 1)
        ]
        shapes = manifest.layout[self.first_layer : self.last_layer + 1]
        places = {each.name: (k, i) for k, row in enumerate(rows) for i, each in enumerate(row)}
        return SampleGraph(
            layers=tuple(map(_layer, shapes, rows)),
            edges=tuple(_columns(self.edges, places, k) for k in range(len(rows) - 1)),
            artificial=tuple(shape.artificial for shape in shapes[:-1]),
            max_distance=manifest.max_distance,
            beyond=manifest.beyond,
            graph_hash=manifest.graph_hash,
            provenance=manifest.provenance,
            measures=NeuronMeasures(
                tuple(_numbers(each.nfd for each in row) for row in rows),
                tuple(_numbers(each.nfd_own for each in row) for row in rows),
            ),
        )


class Subgraph(SampleQuestion[SubgraphAnswer]):
    """A part to draw: the strongest edges of each link between two layers, and the wiring among their neurons."""

    about = About("drawing", "graph", Faster(cold="cypher", warm="numpy"))

    layers: Annotated[str | None, Field(pattern=r"^[0-9]{1,4}-[0-9]{1,4}$", examples=["0-5"])] = None
    """First and last layer; left out: the first block and the layer after it."""
    top: LinkTop = 30

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` where there are no such layers, or for more edges than anyone can draw."""
        first, last = self._ends(sample)
        sample.require_layer(first)
        sample.require_layer(last)
        if first >= last:
            raise OptionError(f"a drawing needs two layers or more, not {first} to {last}")
        if self.top * (last - first) > MOST_EDGES:
            raise OptionError(
                f"{self.top} edges in each of {last - first} links: a drawing has 1 to {MOST_EDGES} edges in all"
            )

    def by_cypher(self, sample: StoredSample) -> SubgraphAnswer:
        """Ask for the edges of one link after another, then for the wiring among their neurons."""
        first, last = self._ends(sample)
        layout = sample.manifest.layout
        links: dict[int, list[Row]] = {
            k: []
            if layout[k].artificial
            else sample.own_rows("strongest_edges", first=k, last=k, top=self.top)
            for k in range(first, last)
        }
        shown = {row[end] for rows in links.values() for row in rows for end in ("source_key", "target_key")}
        for k in range(first, last):
            if layout[k].artificial:
                sources, targets = _keys_of(sample, shown, k), _keys_of(sample, shown, k + 1)
                links[k] = sample.rows("wiring_between", sources=sources, targets=targets, limit=self.top)
        found = sample.rows("neurons_of_keys", keys=sorted(shown))
        neurons = tuple(neuron_of(sample, row) for row in found)
        edges = tuple(edge_of(row) for k in range(first, last) for row in links[k])
        return SubgraphAnswer(first, last, self.top, neurons, edges)

    def by_numpy(self, sample: StoredSample) -> SubgraphAnswer:
        """Take the edges out of the links in memory."""
        first, last = self._ends(sample)
        graph = sample.graph()
        links = {k: strongest_of(weighted(graph, k, longest=np.inf), self.top) for k in range(first, last)}
        shown = {k: _shown(links, k) for k in range(first, last + 1)}
        for k in range(first, last):
            if graph.artificial[k]:
                links[k] = _wiring_between(graph, k, shown[k], shown[k + 1], self.top)
        edges = tuple(edge for k in links for edge in edges_of_link(graph, k, links[k]))
        neurons = tuple(neuron_at(graph, k, position) for k in shown for position in shown[k].tolist())
        return SubgraphAnswer(first, last, self.top, neurons, edges)

    def _ends(self, sample: StoredSample) -> tuple[int, int]:
        """Return first and last layer."""
        if self.layers is None:
            return _first_block(sample.manifest.layout)
        first, _, last = self.layers.partition("-")
        return int(first), int(last)


def _first_block(layout: tuple[LayerShape, ...]) -> tuple[int, int]:
    """Return the layer a model begins with and the one after its first block, or the last one there is."""
    return 0, min(sum(shape.block == layout[0].block for shape in layout), len(layout) - 1)


def _keys_of(sample: StoredSample, keys: set[int], layer: int) -> list[int]:
    """Return those of the keys that stand in one layer."""
    start, offsets = sample.manifest.first_key, sample.offsets
    return sorted(key for key in keys if offsets[layer] <= key - start < offsets[layer + 1])


def _shown(links: dict[int, EdgeColumns], layer: int) -> IntArray:
    """Return the positions in a layer at which weighted edges end."""
    ends = [links[layer - 1].target] if layer - 1 in links else []
    ends += [links[layer].source] if layer in links else []
    return np.unique(np.concatenate(ends))


def _wiring_between(
    graph: SampleGraph, link: int, sources: IntArray, targets: IntArray, top: int
) -> EdgeColumns:
    columns = graph.edges[link]
    inside = np.isin(columns.source, sources) & np.isin(columns.target, targets)
    part = taken(columns, np.flatnonzero(inside))
    return taken(part, np.lexsort((part.target, part.source))[:top])


def _layer(shape: LayerShape, row: list[Neuron]) -> Layer:
    parts = tuple(
        Part(kind, np.array([each.index for each in row if each.kind == kind], dtype=np.int64))
        for kind, _ in shape.kinds
    )
    return Layer(shape.block, shape.row, parts)


def _columns(edges: tuple[Edge, ...], places: dict[str, tuple[int, int]], link: int) -> EdgeColumns:
    chosen = [edge for edge in edges if places[edge.source][0] == link]
    return EdgeColumns(
        source=np.array([places[edge.source][1] for edge in chosen], dtype=np.int64),
        target=np.array([places[edge.target][1] for edge in chosen], dtype=np.int64),
        distance=np.array([edge.distance for edge in chosen], dtype=np.float64),
        weight=_numbers(edge.weight for edge in chosen),
    )


def _numbers(values: Iterable[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
