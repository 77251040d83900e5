"""The strongest edges of a sample or of some of its layers; wiring has no weight and is never among them."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.questions.engine.by_cypher import edge_of
from neuromfa.questions.engine.by_numpy import edges_of_link, strongest_of, weighted
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.records import Edge
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import StoredSample
from neuromfa.questions.neuron_detail import require_top


@dataclass(frozen=True)
class StrongestEdges:
    """The edges of largest |w|, strongest first; equally strong ones by the places of source and target."""

    edges: tuple[Edge, ...]


def strongest_edges(
    sample: StoredSample, *, layer: int | None = None, top: int = 20, engine: EngineChoice = "auto"
) -> StrongestEdges:
    """Return the strongest edges.

    Parameters
    ----------
    layer : only edges that leave it; None for all
    top : how many

    Raises
    ------
    OptionError : no such layer, or more edges than allowed
    """
    if layer is not None:
        sample.require_layer(layer)
    require_top(top)
    first, last = (0, sample.last_layer) if layer is None else (layer, layer)
    by_cypher = partial(_by_cypher, first=first, last=last, top=top)
    by_numpy = partial(_by_numpy, first=first, last=last, top=top)
    return ask("strongest", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def _by_cypher(asked: Asked, *, first: int, last: int, top: int) -> StrongestEdges:
    rows = asked.of_sample("strongest_edges", first=first, last=last, top=top)
    return StrongestEdges(tuple(edge_of(row) for row in rows))


def _by_numpy(asked: Asked, *, first: int, last: int, top: int) -> StrongestEdges:
    graph = asked.graph()
    found: list[Edge] = []
    for link in range(first, last + 1):
        columns = strongest_of(weighted(graph, link, longest=np.inf), top)
        found += edges_of_link(graph, link, columns)
    # sorted() is stable, and links come in the order of places
    return StrongestEdges(tuple(sorted(found, key=lambda edge: edge.distance)[:top]))
