"""The masses of the neurons of one layer, over direct edges."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import OptionError
from neuromfa.questions.engine.question import About, Faster
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import Layer, Limit, MaxDistance, RangeProfile
from neuromfa.questions.layer_radii import LayerQuestion

LARGEST_RADIUS = 1000


@dataclass(frozen=True)
class LayerMassesAnswer:
    """Masses of the neurons of a layer."""

    __pydantic_config__ = DOCUMENTED

    layer: Layer
    profile: RangeProfile
    max_distance: MaxDistance
    n_neurons: int
    """Number of neurons in the layer."""
    names: tuple[str, ...]
    """The first of them, by position."""
    radii: tuple[int, ...]
    """1 ... T, rounded; unit 1/|w|."""
    masses: tuple[tuple[int, ...], ...]
    """N(r) = 1 + number of edges in range with max(1, round(d)) <= r: a row a neuron, a column a radius."""


class LayerMasses(LayerQuestion[LayerMassesAnswer]):
    """The masses N(r) of a layer's neurons at every radius, kept in an analysis or not."""

    about = About("masses", "layers/{layer}/masses", Faster(cold="cypher", warm="numpy"))

    limit: Limit = 100

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` for more radii than a table may have, too."""
        super().check(sample)
        if self.rule.largest_radius > LARGEST_RADIUS:
            raise OptionError(f"a table of masses has {LARGEST_RADIUS} radii at most: lower max_distance")

    def by_cypher(self, sample: StoredSample) -> LayerMassesAnswer:
        """Count on the server."""
        rule = self.rule
        rows = sample.own_rows(
            "layer_masses",
            layer=self.layer,
            shortest=rule.shortest,
            longest=rule.longest,
            largest=rule.largest_radius,
        )
        return self._answer([row["name"] for row in rows], [row["masses"] for row in rows])

    def by_numpy(self, sample: StoredSample) -> LayerMassesAnswer:
        """Count in memory."""
        masses = 1 + np.cumsum(self.counts(sample).counts[:, 1:], axis=1, dtype=np.int64)
        return self._answer(sample.graph().layers[self.layer].names(), masses[: self.limit].tolist())

    def _answer(self, names: Sequence[str], masses: Sequence[Sequence[int]]) -> LayerMassesAnswer:
        """Return the answer for all neurons of the layer; of their masses those that are shown are enough."""
        return LayerMassesAnswer(
            layer=self.layer,
            profile=self.profile,
            max_distance=self.max_distance,
            n_neurons=len(names),
            names=tuple(names[: self.limit]),
            radii=tuple(range(1, self.rule.largest_radius + 1)),
            masses=tuple(map(tuple, masses[: self.limit])),
        )
