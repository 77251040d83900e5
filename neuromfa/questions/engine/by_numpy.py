"""Looking things up in the arrays of a sample: the numpy side of every question."""

from dataclasses import replace

import numpy as np

from neuromfa.network import EdgeColumns, FloatArray, IntArray, SampleGraph
from neuromfa.questions.engine.by_cypher import unknown
from neuromfa.questions.engine.records import Edge, Neuron, NeuronPlace
from neuromfa.questions.engine.subjects import StoredSample


def place_in(sample: StoredSample, name: str) -> NeuronPlace:
    """Find a neuron by its name, of several copies (shared keys and values) the first; else `NotStored`."""
    graph = sample.graph()
    for layer, position in _candidates(graph, name):
        if name_at(graph, layer, position) == name:
            return NeuronPlace(name, int(sample.offsets[layer]) + position, layer)
    raise unknown(sample, name)


def _candidates(graph: SampleGraph, name: str) -> list[tuple[int, int]]:
    """Return layer and position of the neurons that a name may mean, in order."""
    block, _, rest = name.partition(".")
    kind, _, unit = rest.rpartition(".")
    if not (block[1:].isdecimal() and unit.isdecimal() and len(unit) < 19):
        return []
    found = []
    for k, layer in enumerate(graph.layers):
        start = 0
        for part in layer.parts:
            if (part.kind, layer.block) == (kind, int(block[1:])):
                found += [(k, start + i) for i in np.flatnonzero(part.units == int(unit)).tolist()]
            start += part.units.size
    return found


def name_at(graph: SampleGraph, layer: int, position: int) -> str:
    """Return the name of one neuron."""
    return f"B{graph.layers[layer].block:02d}.{kind_at(graph, layer, position)}.{_unit(graph, layer, position):05d}"


def kind_at(graph: SampleGraph, layer: int, position: int) -> str:
    """Return the kind of one neuron."""
    ends = np.cumsum([part.units.size for part in graph.layers[layer].parts])
    return graph.layers[layer].parts[int(np.searchsorted(ends, position, side="right"))].kind


def _unit(graph: SampleGraph, layer: int, position: int) -> int:
    return int(graph.layers[layer].units[position])


def names_of(sample: StoredSample, numbers: IntArray) -> list[str]:
    """Return the names of neurons by their running numbers."""
    graph, offsets = sample.graph(), sample.offsets
    layers = np.searchsorted(offsets, numbers, side="right") - 1
    names = {k: graph.layers[k].names() for k in np.unique(layers).tolist()}
    return [
        names[k][number - offsets[k]] for k, number in zip(layers.tolist(), numbers.tolist(), strict=True)
    ]


def neuron_at(graph: SampleGraph, layer: int, position: int) -> Neuron:
    """Return one neuron."""
    row, measures = graph.layers[layer], graph.measures
    return Neuron(
        name=name_at(graph, layer, position),
        layer=layer,
        position=position,
        block=row.block,
        row=row.row,
        kind=kind_at(graph, layer, position),
        index=_unit(graph, layer, position),
        nfd=_number(measures.nfd if measures else None, layer, position),
        nfd_own=_number(measures.nfd_own if measures else None, layer, position),
    )


def _number(columns: tuple[FloatArray, ...] | None, layer: int, position: int) -> float | None:
    """Return one number of a measure, None where the neuron has none."""
    value = np.nan if columns is None else float(columns[layer][position])
    return None if np.isnan(value) else float(value)


def weighted(graph: SampleGraph, link: int, *, longest: float) -> EdgeColumns:
    """Return the weighted edges in range of one link; none of wiring, and none beyond the ends."""
    if not 0 <= link < len(graph.edges) or graph.artificial[link]:
        return NO_EDGES
    columns = graph.edges[link]
    return taken(columns, np.flatnonzero(columns.distance <= longest))


def taken(columns: EdgeColumns, chosen: IntArray) -> EdgeColumns:
    """Return some of the edges, in the order given."""
    return EdgeColumns(
        columns.source[chosen], columns.target[chosen], columns.distance[chosen], columns.weight[chosen]
    )


def strongest_of(columns: EdgeColumns, top: int) -> EdgeColumns:
    """Return the strongest edges, equally strong ones in the order of source and target."""
    return taken(columns, np.lexsort((columns.target, columns.source, columns.distance))[:top])


def edges_of_link(graph: SampleGraph, link: int, columns: EdgeColumns) -> tuple[Edge, ...]:
    """Return edges of one link under the names of their ends."""
    lists = (columns.source, columns.target, columns.distance, columns.weight)
    wiring = graph.artificial[link] if 0 <= link < len(graph.artificial) else False
    return tuple(
        Edge(name_at(graph, link, source), name_at(graph, link + 1, target), d, None if wiring else w)
        for source, target, d, w in zip(*(column.tolist() for column in lists), strict=True)
    )


def part_of(graph: SampleGraph, first: int, last: int) -> SampleGraph:
    """Return the layers `first` to `last` and the edges between them; running numbers begin at `first`."""
    return replace(
        graph,
        layers=graph.layers[first : last + 1],
        edges=graph.edges[first:last],
        artificial=graph.artificial[first:last],
        measures=None,
    )


NO_EDGES = EdgeColumns(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
