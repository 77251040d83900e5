"""The part of a sample that can be drawn: the strongest edges of each link of some layers, and their neurons."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.graph.manifest import LayerShape, Manifest
from neuromfa.network import EdgeColumns, FloatArray, IntArray, Layer, NeuronMeasures, Part, SampleGraph
from neuromfa.questions.engine.by_cypher import edge_of, neuron_of
from neuromfa.questions.engine.by_numpy import edges_of_link, neuron_at, strongest_of, taken, weighted
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.records import Edge, Neuron
from neuromfa.questions.engine.run import Asked, Row, ask
from neuromfa.questions.engine.stored_sample import StoredSample

MOST_EDGES = 5000


@dataclass(frozen=True)
class Drawing:
    """A part of a sample.

    Attributes
    ----------
    first_layer, last_layer, top : the question; `top` edges of each link
    neurons : the ends of the edges, by place
    edges : link after link: weighted ones the strongest first, wiring between neurons that are shown by place
    """

    first_layer: int
    last_layer: int
    top: int
    neurons: tuple[Neuron, ...]
    edges: tuple[Edge, ...]

    def as_graph(self, manifest: Manifest) -> SampleGraph:
        """Return the part as a graph of its own: the same layers, fewer neurons in each, places counted anew.

        Parameters
        ----------
        manifest : of the sample it was taken from
        """
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


def drawing(
    sample: StoredSample,
    *,
    first_layer: int = 0,
    last_layer: int = 5,
    top: int = 30,
    engine: EngineChoice = "auto",
) -> Drawing:
    """Return the strongest edges of each link between two layers, and the wiring among their neurons.

    Parameters
    ----------
    first_layer, last_layer : one block of a transformer is five layers
    top : edges of each link, wiring too

    Raises
    ------
    OptionError : no such layers, or more edges than anyone can draw
    """
    sample.require_layer(first_layer)
    sample.require_layer(last_layer)
    if first_layer >= last_layer:
        raise OptionError(f"a drawing needs two layers or more, not {first_layer} to {last_layer}")
    if top < 1 or top * (last_layer - first_layer) > MOST_EDGES:
        raise OptionError(
            f"{top} edges in each of {last_layer - first_layer} links: a drawing has 1 to {MOST_EDGES} edges in all"
        )
    by_cypher = partial(_by_cypher, first=first_layer, last=last_layer, top=top)
    by_numpy = partial(_by_numpy, first=first_layer, last=last_layer, top=top)
    return ask("drawing", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def _by_cypher(asked: Asked, *, first: int, last: int, top: int) -> Drawing:
    layout = asked.manifest.layout
    links: dict[int, list[Row]] = {
        k: [] if layout[k].artificial else asked.of_sample("strongest_edges", first=k, last=k, top=top)
        for k in range(first, last)
    }
    shown = {row[end] for rows in links.values() for row in rows for end in ("source_key", "target_key")}
    for k in range(first, last):
        if layout[k].artificial:
            sources, targets = _keys_of(asked, shown, k), _keys_of(asked, shown, k + 1)
            links[k] = asked.rows("wiring_between", sources=sources, targets=targets, limit=top)
    found = asked.rows("neurons_of_keys", keys=sorted(shown))
    neurons = tuple(neuron_of(asked, row) for row in found)
    edges = tuple(edge_of(row) for k in range(first, last) for row in links[k])
    return Drawing(first, last, top, neurons, edges)


def _keys_of(asked: Asked, keys: set[int], layer: int) -> list[int]:
    """Return those of the keys that stand in one layer."""
    start, offsets = asked.manifest.first_key, asked.sample.offsets
    return sorted(key for key in keys if offsets[layer] <= key - start < offsets[layer + 1])


def _by_numpy(asked: Asked, *, first: int, last: int, top: int) -> Drawing:
    graph = asked.graph()
    links = {k: strongest_of(weighted(graph, k, longest=np.inf), top) for k in range(first, last)}
    shown = {k: _shown(links, k) for k in range(first, last + 1)}
    for k in range(first, last):
        if graph.artificial[k]:
            links[k] = _wiring_between(graph, k, shown[k], shown[k + 1], top)
    edges = tuple(edge for k in links for edge in edges_of_link(graph, k, links[k]))
    neurons = tuple(neuron_at(graph, k, position) for k in shown for position in shown[k].tolist())
    return Drawing(first, last, top, neurons, edges)


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
