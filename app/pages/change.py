"""What changed in a block between an earlier stored graph and this one: its edges, and the strengths of its neurons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.app.drawing.network import Thread
from neuromfa.app.pages.strengths import Layers, read_layers, strengths_of, weighted
from neuromfa.errors import NotStored, OptionError
from neuromfa.questions import LayerChange, LayerChangeAnswer, SamplePair, StoredSample, ask
from neuromfa.questions.layer_change import EdgeChange

DRAWN, LISTED = 30, 10


@dataclass(frozen=True)
class StrengthChange:
    """The strength of a neuron, the sum of the sizes of its outgoing weights in range, at both steps."""

    name: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class Change:
    """A block at two steps.

    Attributes
    ----------
    edges : the largest changes of weight of the block, the largest first
    neurons : the largest changes of strength, the largest first
    threads : the same edges as they are drawn: more of them, by the change of their size
    one_step_only : edges in range at one of the steps only; their weight at the other counts as 0
    both : edges in range at both
    """

    since: int
    edges: list[EdgeChange]
    neurons: list[StrengthChange]
    threads: list[Thread]
    one_step_only: int
    both: int


def change_since(pair: SamplePair, layers: Layers) -> Change:
    """Return what changed; `layers` are those of the later step.

    Raises
    ------
    OptionError : the two hold different neurons, so nothing can be compared
    """
    earlier = pair.samples[0]
    first, last = min(layers), max(layers)
    answers = [ask(pair, LayerChange(layer=place, top=DRAWN)) for place in weighted(layers)]
    edges = sorted((one for answer in answers for one in answer.largest), key=lambda one: -abs(one.change))
    return Change(
        since=earlier.manifest.step or 0,
        edges=edges[:LISTED],
        neurons=_strength_changes(read_layers(earlier, first, last), layers)[:LISTED],
        threads=[thread for answer in answers for thread in _threads(answer)],
        one_step_only=sum(one.edges_before + one.edges_after - 2 * one.edges_both for one in answers),
        both=sum(one.edges_both for one in answers),
    )


def require_earlier(since: int | None, sample: StoredSample, steps: Sequence[int | None]) -> None:
    """Raise `OptionError` unless `since` is before the step of a sample, `NotStored` unless it has a graph."""
    if since is None:
        return
    step = sample.manifest.step
    if step is None or since >= step:
        raise OptionError(f"since={since} is not before {sample.name}: take an earlier step to compare with")
    if since not in steps:
        known = ", ".join(str(one) for one in steps if one is not None)
        raise NotStored(f"no graph is stored of step {since} of {sample.manifest.model}; there are: {known}")


def _threads(answer: LayerChangeAnswer) -> list[Thread]:
    """Return changed edges, blue where the size of the weight grew; the largest change of a layer is the thickest."""
    largest = max((abs(one.change) for one in answer.largest), default=0.0) or 1.0
    return [Thread(one.source, one.target, _growth(one), abs(one.change) / largest) for one in answer.largest]


def _growth(one: EdgeChange) -> float:
    return abs(one.after or 0.0) - abs(one.before or 0.0)


def _strength_changes(before: Layers, after: Layers) -> list[StrengthChange]:
    found = []
    for place in weighted(after):
        was, now = strengths_of(before[place]), strengths_of(after[place])
        for position in np.argsort(-np.abs(now - was), kind="stable")[:LISTED].tolist():
            neuron = after[place].neurons[position]
            found.append(StrengthChange(neuron.name, float(was[position]), float(now[position])))
    return sorted(found, key=lambda one: -abs(one.change))
