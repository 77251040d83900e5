"""Which neurons of a sample depart from chance: those whose dimension or strength shuffled weights would not give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import OptionError
from neuromfa.network import FloatArray, NeuronTests
from neuromfa.neurons import LEVEL, NeuronDeparture, values_at
from neuromfa.questions.engine.by_numpy import name_at
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.subjects import Row, StoredSample
from neuromfa.questions.engine.words import MOST_LISTED, LayerOrAll


@dataclass(frozen=True)
class DeparturesAnswer:
    """Part of a list of neurons that depart from chance."""

    __pydantic_config__ = DOCUMENTED

    draws: int
    """Draws of the null they were tested with."""
    items: tuple[NeuronDeparture, ...]
    """The neurons of this part, the smallest adjusted p first."""
    next: str | None
    """`cursor` of the part that follows, or null."""


class Departures(SampleQuestion[DeparturesAnswer]):
    """The neurons whose dimension or strength departs from that of shuffled weights, the smallest p first."""

    about = About("departures", "departures", Faster(cold="cypher", warm="numpy"))

    layer: LayerOrAll = None
    by: Literal["either", "nfd", "strength"] = "either"
    """By dimension (nfd), by strength, or by either."""
    level: Annotated[float, Field(gt=0, le=1)] = LEVEL
    """A neuron departs where its p, adjusted over the network, is below it."""
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 100
    """Most neurons in this part."""
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,15}$")] = None
    """`next` of the part before; left out for the first."""

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` where there is no such layer, or the neurons were not tested."""
        sample.require_layer(self.layer or 0)
        if sample.manifest.tested is None:
            raise OptionError(
                f"the neurons of {sample.name} were not tested against chance: ingest it with neurons = 1 or more"
            )

    def by_cypher(self, sample: StoredSample) -> DeparturesAnswer:
        """Ask for one more than wanted, to know whether others follow."""
        first, last = sample.layer_range(self.layer)
        rows = sample.own_rows(
            "departing_neurons",
            first=first,
            last=last,
            level=self.level,
            by_nfd=self.by != "strength",
            by_strength=self.by != "nfd",
            skip=self._start,
            limit=self.limit + 1,
        )
        found = [_departure_of(row) for row in rows[: self.limit]]
        return self._answer(sample, found, more=len(rows) > self.limit)

    def by_numpy(self, sample: StoredSample) -> DeparturesAnswer:
        """Sort the neurons below the level."""
        graph = sample.graph()
        tests = graph.tests
        assert tests is not None, "the sample says that its neurons were tested"
        first, last = sample.layer_range(self.layer)
        p = np.concatenate([self._smallest(tests, k) for k in range(first, last + 1)])
        order = np.argsort(p, kind="stable")
        order = order[p[order] < self.level]
        end = self._start + self.limit
        numbers = order[self._start : end] + sample.offsets[first]
        layers = np.searchsorted(sample.offsets, numbers, side="right") - 1
        found = []
        for layer, number in zip(layers.tolist(), numbers.tolist(), strict=True):
            place = number - int(sample.offsets[layer])
            found.append(NeuronDeparture(name=name_at(graph, layer, place), **values_at(tests, layer, place)))
        return self._answer(sample, found, more=order.size > end)

    def _smallest(self, tests: NeuronTests, layer: int) -> FloatArray:
        """Return the smaller of the adjusted p of the neurons of a layer, 1 where there is none."""
        columns = [
            np.nan_to_num(measure.p_adjusted[layer], nan=1.0)
            for name, measure in (("nfd", tests.nfd), ("strength", tests.strength))
            if self.by in ("either", name)
        ]
        found: FloatArray = np.minimum.reduce(columns)
        return found

    @property
    def _start(self) -> int:
        """Where in the whole list the part begins."""
        return int(self.cursor or 0)

    def _answer(
        self, sample: StoredSample, found: Sequence[NeuronDeparture], *, more: bool
    ) -> DeparturesAnswer:
        following = str(self._start + self.limit) if more else None
        return DeparturesAnswer(sample.manifest.test_draws or 0, tuple(found), following)


def _departure_of(row: Row) -> NeuronDeparture:
    return NeuronDeparture(**{name: row[name] for name in NeuronDeparture.__annotations__})
