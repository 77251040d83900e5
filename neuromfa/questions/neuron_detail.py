"""One neuron with its strongest edges, in and out."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.questions.engine.by_cypher import neuron_of, neuron_row
from neuromfa.questions.engine.by_numpy import (
    edges_of_link,
    neuron_at,
    place_in,
    strongest_of,
    taken,
    weighted,
)
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.records import Edge, Neuron
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import USUAL, StoredSample

MOST_EDGES = 1000


@dataclass(frozen=True)
class NeuronDetail:
    """One neuron with its weighted edges in range.

    Attributes
    ----------
    neuron : the neuron
    max_distance : T, the range of what follows
    edges_in, edges_out : weighted edges in range
    strength_in, strength_out : sum of their |w|
    strongest_in, strongest_out : the strongest of them, strongest first
    """

    neuron: Neuron
    max_distance: float
    edges_in: int
    edges_out: int
    strength_in: float
    strength_out: float
    strongest_in: tuple[Edge, ...]
    strongest_out: tuple[Edge, ...]


def neuron(
    sample: StoredSample,
    name: str,
    *,
    top: int = 10,
    max_distance: float = USUAL.max_distance,
    engine: EngineChoice = "auto",
) -> NeuronDetail:
    """Return one neuron with its strongest edges, `top` each way, equally strong ones by place.

    Raises
    ------
    NotStored : no neuron of that name
    OptionError : `top` or T outside what is allowed
    """
    sample.require_range(max_distance)
    require_top(top)
    by_cypher = partial(_by_cypher, name=name, top=top, longest=max_distance)
    by_numpy = partial(detail_in_arrays, name=name, top=top, longest=max_distance)
    return ask("neuron", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def require_top(top: int) -> None:
    """Raise `OptionError` for more edges than a list may have."""
    if not 1 <= top <= MOST_EDGES:
        raise OptionError(f"top is 1 to {MOST_EDGES} edges, not {top}")


def _by_cypher(asked: Asked, *, name: str, top: int, longest: float) -> NeuronDetail:
    row = neuron_row(asked, name)
    [into] = asked.rows("edges_in", key=row["key"], range=longest, top=top)
    [out] = asked.rows("edges_out", key=row["key"], range=longest, top=top)
    return NeuronDetail(
        neuron=neuron_of(asked, row),
        max_distance=longest,
        edges_in=into["edges"],
        edges_out=out["edges"],
        strength_in=float(into["strength"] or 0.0),
        strength_out=float(out["strength"] or 0.0),
        strongest_in=tuple(Edge(other, name, d, w) for other, d, w in into["strongest"]),
        strongest_out=tuple(Edge(name, other, d, w) for other, d, w in out["strongest"]),
    )


def detail_in_arrays(asked: Asked, *, name: str, top: int, longest: float) -> NeuronDetail:
    """Return a neuron with its edges from the arrays."""
    graph, place = asked.graph(), place_in(asked, name)
    position = place.number - int(asked.sample.offsets[place.layer])
    before, after = (weighted(graph, link, longest=longest) for link in (place.layer - 1, place.layer))
    into = taken(before, np.flatnonzero(before.target == position))
    out = taken(after, np.flatnonzero(after.source == position))
    return NeuronDetail(
        neuron=neuron_at(graph, place.layer, position),
        max_distance=longest,
        edges_in=into.size,
        edges_out=out.size,
        strength_in=float(np.abs(into.weight).sum()),
        strength_out=float(np.abs(out.weight).sum()),
        strongest_in=edges_of_link(graph, place.layer - 1, strongest_of(into, top)),
        strongest_out=edges_of_link(graph, place.layer, strongest_of(out, top)),
    )
