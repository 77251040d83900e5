"""The edges that leave one layer by rounded distance: how many there are at each radius."""

from abc import ABC
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from neuromfa.declared import DOCUMENTED
from neuromfa.mfa.distance import RadiusCounts, RangeRule, count_graph_radii, range_rule
from neuromfa.options import AnalysisOptions
from neuromfa.questions.engine.by_numpy import part_of
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import USUAL, Layer, MaxDistance, RangeProfile

A = TypeVar("A")


class LayerQuestion(SampleQuestion[A], ABC, Generic[A]):
    """A question to the weighted edges in range that leave one layer."""

    layer: Layer
    profile: RangeProfile = "exact"
    max_distance: MaxDistance = USUAL.max_distance

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` where no weighted edges leave the layer, or for a range beyond what was stored."""
        sample.require_link(self.layer)
        sample.require_range(self.max_distance)

    @property
    def rule(self) -> RangeRule:
        """The range: 0 < d <= T, in profile paper 1 < d <= T."""
        return range_rule(AnalysisOptions(profile=self.profile, max_distance=self.max_distance))

    def counts(self, sample: StoredSample) -> RadiusCounts:
        """Return the number of edges at each radius for every neuron of the layer."""
        return count_graph_radii(part_of(sample.graph(), self.layer, self.layer + 1), rule=self.rule)


@dataclass(frozen=True)
class LayerRadiiAnswer:
    """How many weighted edges leave a layer at each radius."""

    __pydantic_config__ = DOCUMENTED

    layer: Layer
    profile: RangeProfile
    max_distance: MaxDistance
    radii: tuple[int, ...]
    """The radii max(1, round(d)), half to even, that occur; unit 1/|w|."""
    edges: tuple[int, ...]
    """Number of edges at each of them."""


class LayerRadii(LayerQuestion[LayerRadiiAnswer]):
    """The histogram of the rounded distances that leave a layer."""

    about = About("radii", "layers/{layer}/radii", Faster(cold="cypher", warm="numpy"))

    def by_cypher(self, sample: StoredSample) -> LayerRadiiAnswer:
        """Count on the server."""
        rule = self.rule
        rows = sample.own_rows("layer_radii", layer=self.layer, shortest=rule.shortest, longest=rule.longest)
        return self._answer([row["radius"] for row in rows], [row["edges"] for row in rows])

    def by_numpy(self, sample: StoredSample) -> LayerRadiiAnswer:
        """Add up the counts of all neurons."""
        totals = self.counts(sample).counts.sum(axis=0, dtype=np.int64)
        radii = np.flatnonzero(totals)
        return self._answer(radii.tolist(), totals[radii].tolist())

    def _answer(self, radii: list[int], edges: list[int]) -> LayerRadiiAnswer:
        return LayerRadiiAnswer(self.layer, self.profile, self.max_distance, tuple(radii), tuple(edges))
