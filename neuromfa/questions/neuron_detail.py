"""One neuron with its strongest edges, in and out."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.questions.engine.by_cypher import neuron_of, neuron_row
from neuromfa.questions.engine.by_numpy import (
    edges_of_link,
    neuron_at,
    place_in,
    strongest_of,
    taken,
    weighted,
)
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.records import Edge, Neuron
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import USUAL, EdgeCount, MaxDistance, NeuronName, Strength, Top

Strongest = Annotated[
    tuple[Edge, ...], Field(description="The strongest of them, strongest first, equal ones by place.")
]


@dataclass(frozen=True)
class NeuronDetailAnswer:
    """One neuron with its weighted edges in range."""

    __pydantic_config__ = DOCUMENTED

    neuron: Neuron
    """The neuron itself."""
    max_distance: MaxDistance
    edges_in: EdgeCount
    edges_out: EdgeCount
    strength_in: Strength
    strength_out: Strength
    strongest_in: Strongest
    strongest_out: Strongest


class NeuronDetail(SampleQuestion[NeuronDetailAnswer]):
    """One neuron: its dimensions, number and strength of its edges in range, the strongest of them each way."""

    about = About("neuron", "neurons/{name}", Faster(cold="cypher", warm="numpy"))

    name: NeuronName
    top: Top = 10
    max_distance: MaxDistance = USUAL.max_distance

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` for a range beyond what was stored."""
        sample.require_range(self.max_distance)

    def by_cypher(self, sample: StoredSample) -> NeuronDetailAnswer:
        """Ask for the neuron, and for its edges each way."""
        row = neuron_row(sample, self.name)
        [into] = sample.rows("edges_in", key=row["key"], range=self.max_distance, top=self.top)
        [out] = sample.rows("edges_out", key=row["key"], range=self.max_distance, top=self.top)
        return NeuronDetailAnswer(
            neuron=neuron_of(sample, row),
            max_distance=self.max_distance,
            edges_in=into["edges"],
            edges_out=out["edges"],
            strength_in=float(into["strength"] or 0.0),
            strength_out=float(out["strength"] or 0.0),
            strongest_in=tuple(Edge(other, self.name, d, w) for other, d, w in into["strongest"]),
            strongest_out=tuple(Edge(self.name, other, d, w) for other, d, w in out["strongest"]),
        )

    def by_numpy(self, sample: StoredSample) -> NeuronDetailAnswer:
        """Take its edges out of both links."""
        graph, place = sample.graph(), place_in(sample, self.name)
        layer, position = place.layer, place.number - int(sample.offsets[place.layer])
        before, after = (weighted(graph, link, longest=self.max_distance) for link in (layer - 1, layer))
        into = taken(before, np.flatnonzero(before.target == position))
        out = taken(after, np.flatnonzero(after.source == position))
        return NeuronDetailAnswer(
            neuron=neuron_at(graph, layer, position),
            max_distance=self.max_distance,
            edges_in=into.size,
            edges_out=out.size,
            strength_in=float(np.abs(into.weight).sum()),
            strength_out=float(np.abs(out.weight).sum()),
            strongest_in=edges_of_link(graph, layer - 1, strongest_of(into, self.top)),
            strongest_out=edges_of_link(graph, layer, strongest_of(out, self.top)),
        )
