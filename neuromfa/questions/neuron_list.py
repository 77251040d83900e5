"""Which neurons a sample has: all by place, or those of highest dimension first."""

from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.network import SampleGraph
from neuromfa.questions.engine.by_cypher import neuron_of
from neuromfa.questions.engine.by_numpy import neuron_at
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.records import Neuron
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import StoredSample

Order = Literal["place", "dimension"]

MOST_NEURONS = 1000


@dataclass(frozen=True)
class NeuronList:
    """Part of a list of neurons; `more` says that others follow."""

    neurons: tuple[Neuron, ...]
    more: bool


@dataclass(frozen=True)
class _Wanted:
    """Which neurons: layers `first` to `last`, a kind or None, the order, and which part of the list."""

    first: int
    last: int
    kind: str | None
    order: Order
    limit: int
    skip: int


def neurons(
    sample: StoredSample,
    *,
    layer: int | None = None,
    kind: str | None = None,
    order: Order = "place",
    limit: int = 100,
    skip: int = 0,
    engine: EngineChoice = "auto",
) -> NeuronList:
    """List neurons.

    Parameters
    ----------
    layer, kind : only these; None for all
    order : ``place``, or ``dimension``: only those that have one, the highest first, equal ones by place
    limit, skip : which part of the list

    Raises
    ------
    OptionError : no such layer or order, or a part larger than allowed
    """
    if order not in get_args(Order):
        raise OptionError(f"order is {' or '.join(get_args(Order))}, not {order!r}")
    if layer is not None:
        sample.require_layer(layer)
    if not (1 <= limit <= MOST_NEURONS and skip >= 0):
        raise OptionError(f"limit is 1 to {MOST_NEURONS} and skip 0 or more, not {limit} and {skip}")
    first, last = (0, sample.last_layer) if layer is None else (layer, layer)
    wanted = _Wanted(first, last, kind, order, limit, skip)
    by_cypher, by_numpy = partial(_by_cypher, wanted=wanted), partial(_by_numpy, wanted=wanted)
    return ask("neurons", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def _by_cypher(asked: Asked, *, wanted: _Wanted) -> NeuronList:
    rows = asked.of_sample(
        f"neurons_by_{wanted.order}",
        first=wanted.first,
        last=wanted.last,
        kind=wanted.kind,
        skip=wanted.skip,
        limit=wanted.limit + 1,
    )
    found = tuple(neuron_of(asked, row) for row in rows[: wanted.limit])
    return NeuronList(found, len(rows) > wanted.limit)


def _by_numpy(asked: Asked, *, wanted: _Wanted) -> NeuronList:
    graph = asked.graph()
    places = [
        (layer, position)
        for layer in range(wanted.first, wanted.last + 1)
        for position, kind in enumerate(graph.layers[layer].kinds)
        if wanted.kind in (None, kind)
    ]
    if wanted.order == "dimension":
        places = _highest_first(graph, places)
    end = wanted.skip + wanted.limit
    found = tuple(neuron_at(graph, *place) for place in places[wanted.skip : end])
    return NeuronList(found, len(places) > end)


def _highest_first(graph: SampleGraph, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if graph.measures is None:
        return []
    nfd = np.array([graph.measures.nfd[layer][position] for layer, position in places])
    return [places[i] for i in np.argsort(-nfd, kind="stable").tolist() if not np.isnan(nfd[i])]
