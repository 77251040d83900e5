"""A graph cut into the statements that write it: columns as parameters, as many in a transaction as fit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

from neuromfa.graph.cypher_files import query
from neuromfa.graph.dialects import Dialect
from neuromfa.graph.manifest import SAMPLE_BITS
from neuromfa.network import SampleGraph


@dataclass(frozen=True)
class Piece:
    """One statement.

    Attributes
    ----------
    name : of its query
    kind : kind of neuron for the label, or None
    parameters : all but the sample's number, and keys still relative to it
    size : neurons or edges it makes
    edges : edges it makes
    """

    name: str
    kind: str | None
    parameters: dict[str, Any]
    size: int
    edges: int

    @property
    def text(self) -> LiteralString:
        """The statement."""
        found = query(self.name)
        return found.text if self.kind is None else found.of_kind(self.kind)

    def of_sample(self, number: int) -> dict[str, Any]:
        """Return the parameters for the sample of that number."""
        parameters = self.parameters | {"sample": number}
        if "first" in parameters:
            first = (number << SAMPLE_BITS) + parameters.pop("first")
            parameters["keys"] = list(range(first, first + self.size))
        return parameters


def chunks(graph: SampleGraph, dialect: Dialect) -> Iterator[list[Piece]]:
    """Yield what is written in one transaction each: first the neurons, then the edges."""
    yield from _packed(neuron_pieces(graph), dialect.chunk_neurons)
    yield from _packed(edge_pieces(graph, dialect.chunk_edges), dialect.chunk_edges)


def _packed(pieces: Iterator[Piece], limit: int) -> Iterator[list[Piece]]:
    """Put pieces together until a transaction is full."""
    chunk: list[Piece] = []
    filled = 0
    for piece in pieces:
        if chunk and filled + piece.size > limit:
            yield chunk
            chunk, filled = [], 0
        chunk.append(piece)
        filled += piece.size
    if chunk:
        yield chunk


def neuron_pieces(graph: SampleGraph) -> Iterator[Piece]:
    """Yield one statement for every part of every layer."""
    running = 0
    for k, layer in enumerate(graph.layers):
        columns = {
            "names": layer.names(),
            "positions": list(range(layer.size)),
            "indexes": layer.units.tolist() if layer.parts else [],
            "nfd": _measure(graph, k, lambda: graph.measures and graph.measures.nfd),
            "nfd_own": _measure(graph, k, lambda: graph.measures and graph.measures.nfd_own),
        }
        position = 0
        for part in layer.parts:
            size = int(part.units.size)
            here = {name: column[position : position + size] for name, column in columns.items()}
            fixed = {"layer": k, "block": layer.block, "kind": part.kind, "first": running + position}
            yield Piece("write/neurons", part.kind, fixed | here, size, 0)
            position += size
        running += position


def _measure(graph: SampleGraph, layer: int, get: Callable[[], Any]) -> list[float | None]:
    """Return one measure of a layer's neurons; the store knows null, not NaN."""
    measure = get()
    if measure is None:
        return [None] * graph.layers[layer].size
    return [None if value != value else value for value in measure[layer].tolist()]


def edge_pieces(graph: SampleGraph, limit: int) -> Iterator[Piece]:
    """Yield statements of at most `limit` edges, layer after layer."""
    for k, columns in enumerate(graph.edges):
        artificial = graph.artificial[k]
        for first in range(0, columns.size, limit):
            here = slice(first, first + limit)
            parameters = {
                "layer": k,
                "source": columns.source[here].tolist(),
                "target": columns.target[here].tolist(),
                "distance": columns.distance[here].tolist(),
            } | ({} if artificial else {"weight": columns.weight[here].tolist()})
            size = len(parameters["source"])
            yield Piece("write/wiring" if artificial else "write/edges", None, parameters, size, size)
