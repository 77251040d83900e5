"""Which neurons a sample has: all by place, or those of highest dimension first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.network import SampleGraph
from neuromfa.questions.engine.by_cypher import neuron_of
from neuromfa.questions.engine.by_numpy import neuron_at
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.records import Neuron
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import MOST_LISTED, LayerOrAll


@dataclass(frozen=True)
class NeuronListAnswer:
    """Part of a list of neurons."""

    __pydantic_config__ = DOCUMENTED

    items: tuple[Neuron, ...]
    """The neurons of this part."""
    next: str | None
    """`cursor` of the part that follows, or null."""


class NeuronList(SampleQuestion[NeuronListAnswer]):
    """The neurons by place, or those that have a fractal dimension, the highest first."""

    about = About("neurons", "neurons", Faster(cold="cypher", warm="numpy"))

    layer: LayerOrAll = None
    kind: Annotated[str | None, Field(max_length=100)] = None
    """Only this kind, such as `mlp`; left out: all."""
    order: Literal["place", "dimension"] = "place"
    """By place; or only those with a fractal dimension, the highest first."""
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 100
    """Most neurons in this part."""
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,15}$")] = None
    """`next` of the part before; left out for the first."""

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` where there is no such layer."""
        sample.require_layer(self.layer or 0)

    def by_cypher(self, sample: StoredSample) -> NeuronListAnswer:
        """Ask for one more than wanted, to know whether others follow."""
        first, last = sample.layer_range(self.layer)
        rows = sample.own_rows(
            f"neurons_by_{self.order}",
            first=first,
            last=last,
            kind=self.kind,
            skip=self._start,
            limit=self.limit + 1,
        )
        return self._answer(
            [neuron_of(sample, row) for row in rows[: self.limit]], more=len(rows) > self.limit
        )

    def by_numpy(self, sample: StoredSample) -> NeuronListAnswer:
        """Sort the places."""
        graph = sample.graph()
        first, last = sample.layer_range(self.layer)
        places = [
            (layer, position)
            for layer in range(first, last + 1)
            for position, kind in enumerate(graph.layers[layer].kinds)
            if self.kind in (None, kind)
        ]
        if self.order == "dimension":
            places = _highest_first(graph, places)
        end = self._start + self.limit
        return self._answer(
            [neuron_at(graph, *place) for place in places[self._start : end]], more=len(places) > end
        )

    @property
    def _start(self) -> int:
        """Where in the whole list the part begins."""
        return int(self.cursor or 0)

    def _answer(self, neurons: Sequence[Neuron], *, more: bool) -> NeuronListAnswer:
        return NeuronListAnswer(tuple(neurons), str(self._start + self.limit) if more else None)


def _highest_first(graph: SampleGraph, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    if graph.measures is None:
        return []
    nfd = np.array([graph.measures.nfd[layer][position] for layer, position in places])
    return [places[i] for i in np.argsort(-nfd, kind="stable").tolist() if not np.isnan(nfd[i])]
