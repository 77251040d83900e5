"""What training changed between one layer and the next: the edges of two steps compared."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import OptionError
from neuromfa.network import EdgeColumns, FloatArray, IntArray
from neuromfa.questions.engine.by_numpy import name_at, weighted
from neuromfa.questions.engine.explorer import TwoSteps
from neuromfa.questions.engine.question import About, Faster, Question
from neuromfa.questions.engine.subjects import SamplePair, StoredSample
from neuromfa.questions.engine.words import USUAL, EdgeCount, Layer, MaxDistance, NeuronName, Top

WeightThen = Annotated[float | None, Field(description="Weight at that step; null where it is out of range.")]


@dataclass(frozen=True)
class EdgeChange:
    """One edge at two steps."""

    __pydantic_config__ = DOCUMENTED

    source: NeuronName
    target: NeuronName
    before: WeightThen
    after: WeightThen
    change: float
    """Weight after minus weight before, an edge out of range counting as 0."""


@dataclass(frozen=True)
class LayerChangeAnswer:
    """The edges between a layer and the next at two steps."""

    __pydantic_config__ = DOCUMENTED

    layer: Layer
    max_distance: MaxDistance
    edges_before: EdgeCount
    edges_after: EdgeCount
    edges_both: int
    """Number of edges in range at both steps."""
    largest: tuple[EdgeChange, ...]
    """The largest changes of weight, equal ones by the places of source and target."""


class LayerChange(Question[SamplePair, LayerChangeAnswer]):
    """The edges between a layer and the next at two steps: how many, and the largest changes of weight."""

    about = About("change", "change", Faster(cold="cypher", warm="numpy"))
    where = TwoSteps

    layer: Layer
    max_distance: MaxDistance = USUAL.max_distance
    top: Top = 20

    def check(self, pair: SamplePair) -> None:
        """Raise `OptionError` where the samples hold different neurons, no such layer, or no such range."""
        for sample in pair.samples:
            sample.require_layer(self.layer)
            sample.require_range(self.max_distance)
        _require_same_neurons(*pair.samples)

    def by_cypher(self, pair: SamplePair) -> LayerChangeAnswer:
        """Compare on the server."""
        before, after = pair.samples
        [row] = before.rows(
            "layer_pair_change",
            before=before.manifest.number,
            after=after.manifest.number,
            layer=self.layer,
            longest=self.max_distance,
            top=self.top,
        )
        return LayerChangeAnswer(
            layer=self.layer,
            max_distance=self.max_distance,
            edges_before=row["edges_before"],
            edges_after=row["edges_after"],
            edges_both=row["edges_both"],
            largest=tuple(EdgeChange(*change) for change in row["largest"]),
        )

    def by_numpy(self, pair: SamplePair) -> LayerChangeAnswer:
        """Compare in memory."""
        graph, later = (sample.graph() for sample in pair.samples)
        old, new = (weighted(each, self.layer, longest=self.max_distance) for each in (graph, later))
        width = graph.n_neurons
        places = np.union1d(_place(old, width), _place(new, width))
        was, now = _weights(old, places, width), _weights(new, places, width)
        change = np.nan_to_num(now) - np.nan_to_num(was)

        def told(i: int) -> EdgeChange:
            source, target = divmod(int(places[i]), width)
            names = name_at(graph, self.layer, source), name_at(graph, self.layer + 1, target)
            return EdgeChange(*names, _or_none(was[i]), _or_none(now[i]), float(change[i]))

        return LayerChangeAnswer(
            layer=self.layer,
            max_distance=self.max_distance,
            edges_before=old.size,
            edges_after=new.size,
            edges_both=int(np.count_nonzero(~np.isnan(was) & ~np.isnan(now))),
            largest=tuple(map(told, np.argsort(-np.abs(change), kind="stable")[: self.top].tolist())),
        )


def _require_same_neurons(before: StoredSample, after: StoredSample) -> None:
    """Raise `OptionError` where the draws differ; the same seed picks the same neurons at every step."""
    first, second = (
        (
            s.manifest.seed,
            s.manifest.nodes,
            s.manifest.row_rule,
            s.manifest.architecture_hash,
            s.offsets.tolist(),
        )
        for s in (before, after)
    )
    if first != second:
        raise OptionError(
            f"{before.name} and {after.name} hold different neurons: take one seed of one ingest"
        )


def _place(columns: EdgeColumns, width: int) -> IntArray:
    """Return a number for the two ends of every edge that sorts by source, then target."""
    return columns.source * width + columns.target


def _weights(columns: EdgeColumns, places: IntArray, width: int) -> FloatArray:
    """Return the weights at the places, NaN where there is no edge."""
    weights = np.full(places.size, np.nan)
    weights[np.searchsorted(places, _place(columns, width))] = columns.weight
    return weights


def _or_none(weight: float) -> float | None:
    return None if np.isnan(weight) else float(weight)
