"""How a layer is joined to the next: how many of all pairs have an edge in range, and how long the edges are."""

from dataclasses import dataclass

import numpy as np

from neuromfa.declared import DOCUMENTED
from neuromfa.questions.engine.by_numpy import weighted
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import USUAL, EdgeCount, Layer, MaxDistance

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class LayerLinkAnswer:
    """The weighted edges between a layer and the next."""

    __pydantic_config__ = DOCUMENTED

    layer: Layer
    max_distance: MaxDistance
    pairs: int
    """Number of pairs of a neuron of the layer and one of the next."""
    edges: EdgeCount
    share: float
    """Edges / pairs, from 0 to 1; no unit."""
    mean: float | None
    """Mean distance of these edges, equal between the engines to 1e-9; null without any; unit 1/|w|."""
    quantiles: tuple[float, ...]
    """Distances that 5, 25, 50, 75 and 95 % of these edges do not exceed, each that of an edge; empty without
    any; unit 1/|w|."""


class LayerLink(SampleQuestion[LayerLinkAnswer]):
    """How a layer is joined to the next: the share of pairs with an edge in range, and how long these edges are."""

    about = About("link", "layers/{layer}/link", Faster(cold="cypher", warm="numpy"))

    layer: Layer
    max_distance: MaxDistance = USUAL.max_distance

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` where no weighted edges leave the layer, or for a range beyond what was stored."""
        sample.require_link(self.layer)
        sample.require_range(self.max_distance)

    def by_cypher(self, sample: StoredSample) -> LayerLinkAnswer:
        """Sort on the server."""
        [row] = sample.own_rows(
            "link_distances", layer=self.layer, longest=self.max_distance, quantiles=list(QUANTILES)
        )
        return self._answer(sample, row["edges"], row["mean"], row["quantiles"])

    def by_numpy(self, sample: StoredSample) -> LayerLinkAnswer:
        """Sort in memory."""
        distance = weighted(sample.graph(), self.layer, longest=self.max_distance).distance
        if distance.size == 0:
            return self._answer(sample, 0, None, [])
        ranks = np.ceil(np.multiply(QUANTILES, distance.size)).astype(np.int64)
        quantiles = np.sort(distance)[ranks - 1].tolist()
        return self._answer(sample, distance.size, float(distance.mean()), quantiles)

    def _answer(
        self, sample: StoredSample, edges: int, mean: float | None, quantiles: list[float]
    ) -> LayerLinkAnswer:
        layout = sample.manifest.layout
        pairs = layout[self.layer].size * layout[self.layer + 1].size
        return LayerLinkAnswer(
            layer=self.layer,
            max_distance=self.max_distance,
            pairs=pairs,
            edges=edges,
            share=edges / pairs,
            mean=mean,
            quantiles=tuple(quantiles),
        )
