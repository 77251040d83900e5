"""The ball of one neuron, all it reaches within a path distance, and how its mass grows with the radius."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.declared import DOCUMENTED
from neuromfa.mfa.paths import MassCurve, mass_curve, path_graph
from neuromfa.mfa.paths import ball as ball_of_paths
from neuromfa.network import FloatArray, IntArray
from neuromfa.questions.engine.by_cypher import place_of
from neuromfa.questions.engine.by_numpy import names_of, part_of, place_in
from neuromfa.questions.engine.question import About, Faster, SampleQuestion
from neuromfa.questions.engine.relaxation import relax_layers
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import USUAL, Gamma, HorizonOrAll, Limit, NeuronName, Radius


@dataclass(frozen=True)
class BallMember:
    """A neuron within a ball."""

    __pydantic_config__ = DOCUMENTED

    name: NeuronName
    layer: int
    """Running number of its layer."""
    distance: float
    """Path distance from the source, gamma included; unit 1/|w|."""


@dataclass(frozen=True)
class BallAnswer:
    """The ball of one neuron."""

    __pydantic_config__ = DOCUMENTED

    source: NeuronName
    radius: Radius
    gamma: Gamma
    horizon: HorizonOrAll
    size: int
    """Number of neurons within, the source among them."""
    members: tuple[BallMember, ...]
    """The nearest of them, equally near ones by place: first the source at 0."""
    radii: tuple[int, ...]
    """1 ... radius, rounded; unit 1/|w|."""
    masses: tuple[int, ...]
    """N(r) = 1 + number of neurons at max(1, round(d)) <= r whose shortest path holds a weighted edge, one a
    radius."""


class Ball(SampleQuestion[BallAnswer]):
    """All neurons within a path distance of one, the nearest first, and how the mass grows with the radius.

    Edges and wiring are walked alike; with a `horizon` paths reach only so many layers (Algorithm 6).
    """

    about = About("ball", "ball", Faster(cold="cypher", warm="numpy"))

    source: NeuronName
    radius: Radius = USUAL.max_distance
    gamma: Gamma = USUAL.gamma
    horizon: HorizonOrAll = None
    limit: Limit = 100

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` for a radius beyond what was stored."""
        sample.require_range(self.radius, what="radius")

    def by_cypher(self, sample: StoredSample) -> BallAnswer:
        """Relax one layer after another: over all links, and over wiring alone."""
        start = place_of(sample, self.source)
        relax = partial(
            relax_layers,
            sample,
            start.number,
            layer=start.layer,
            last=self._last_layer(sample, start.layer),
            gamma=self.gamma,
            longest=self.radius,
        )
        found, wired = relax(), relax(query="relax_wiring")
        # sorted() is stable: equally near ones stay in the order of places
        numbers = np.array(sorted(sorted(found), key=lambda number: found[number]), dtype=np.int64)
        distances = np.array([found[number] for number in numbers.tolist()])
        unweighted = np.array([wired.get(number, np.inf) for number in numbers.tolist()])
        names = _names(sample, numbers[: self.limit])
        return self._answer(sample, numbers, distances, names, self._curve(distances, unweighted))

    def by_numpy(self, sample: StoredSample) -> BallAnswer:
        """Relax the layers within reach."""
        start = place_in(sample, self.source)
        last = self._last_layer(sample, start.layer)
        # a graph of paths has one link at least, also at the end of the network
        layer = min(start.layer, max(last - 1, 0))
        first = int(sample.offsets[layer])
        paths = path_graph(part_of(sample.graph(), layer, last), max_distance=self.radius)
        found = ball_of_paths(paths, start.number - first, radius=self.radius, gamma=self.gamma)
        curve = mass_curve(paths, start.number - first, gamma=self.gamma)
        numbers = found.neurons + first
        return self._answer(sample, numbers, found.distances, names_of(sample, numbers[: self.limit]), curve)

    def _last_layer(self, sample: StoredSample, layer: int) -> int:
        """Return the last layer that paths from a layer may reach."""
        last = sample.last_layer
        return last if self.horizon is None else min(last, layer + self.horizon)

    def _curve(self, distances: FloatArray, unweighted: FloatArray) -> MassCurve:
        """Return the masses as `mfa.paths.mass_curve` does: whom wiring alone reaches as early does not count."""
        counted = distances[distances < unweighted]
        radii = np.maximum(1, np.rint(counted).astype(np.int64))
        largest = max(1, int(np.rint(self.radius)))
        masses = 1 + np.cumsum(np.bincount(radii, minlength=largest + 1)[1:])
        return MassCurve(np.arange(1, largest + 1), masses)

    def _answer(
        self,
        sample: StoredSample,
        numbers: IntArray,
        distances: FloatArray,
        names: Sequence[str],
        curve: MassCurve,
    ) -> BallAnswer:
        """Return the answer for all neurons within, the nearest first, and the names of those that are shown."""
        layers = np.searchsorted(sample.offsets, numbers, side="right") - 1
        shown = zip(names, layers.tolist(), distances.tolist(), strict=False)
        return BallAnswer(
            source=self.source,
            radius=self.radius,
            gamma=self.gamma,
            horizon=self.horizon,
            size=numbers.size,
            members=tuple(BallMember(*each) for each in shown),
            radii=tuple(curve.radii.tolist()),
            masses=tuple(curve.masses.tolist()),
        )


def _names(sample: StoredSample, numbers: IntArray) -> list[str]:
    first = sample.manifest.first_key
    [row] = sample.rows("key_names", keys=(numbers + first).tolist())
    names = dict(zip(row["key"], row["name"], strict=True))
    return [names[first + number] for number in numbers.tolist()]
