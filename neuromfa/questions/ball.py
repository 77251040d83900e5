"""The ball of one neuron, all it reaches within a path distance, and how its mass grows with the radius."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.paths import Ball, MassCurve, mass_curve, path_graph
from neuromfa.mfa.paths import ball as ball_of_paths
from neuromfa.network import FloatArray, IntArray
from neuromfa.questions.engine.by_cypher import place_of
from neuromfa.questions.engine.by_numpy import names_of, part_of, place_in
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.relaxation import relax_layers
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import USUAL, StoredSample
from neuromfa.questions.path import require_gamma


@dataclass(frozen=True)
class Member:
    """A neuron within a ball: its name, its layer, and how far it is."""

    name: str
    layer: int
    distance: float


@dataclass(frozen=True)
class BallAnswer:
    """The ball of one neuron.

    Attributes
    ----------
    source, radius, gamma : the question; gamma is the cost of every hop after the first
    horizon : layers that paths may reach; None for all
    size : neurons within, the source among them
    members : they, the nearest first and equally near ones by place: first the source at 0
    radii : 1 ... radius rounded
    masses : N(r) = 1 + neurons at max(1, round(d)) <= r whose shortest path holds a weighted edge
    """

    source: str
    radius: float
    gamma: float
    horizon: int | None
    size: int
    members: tuple[Member, ...]
    radii: tuple[int, ...]
    masses: tuple[int, ...]


@dataclass(frozen=True)
class _Request:
    source: str
    radius: float
    gamma: float
    horizon: int | None

    def last_layer(self, asked: Asked, layer: int) -> int:
        """Return the last layer that paths from a layer may reach."""
        last = asked.sample.last_layer
        return last if self.horizon is None else min(last, layer + self.horizon)


def ball(
    sample: StoredSample,
    source: str,
    *,
    radius: float = USUAL.max_distance,
    gamma: float = USUAL.gamma,
    horizon: int | None = None,
    engine: EngineChoice = "auto",
) -> BallAnswer:
    """Return all neurons within a path distance of one, edges and wiring walked alike.

    Parameters
    ----------
    source : name of the neuron
    radius : path distance, gamma included
    gamma : cost of every hop after the first
    horizon : paths reach only this many layers (Algorithm 6); None for all

    Raises
    ------
    NotStored : no neuron of that name
    OptionError : a value outside what is allowed
    """
    sample.require_range(radius, what="radius")
    require_gamma(gamma)
    if horizon is not None and horizon < 1:
        raise OptionError(f"horizon is 1 layer or more, not {horizon}")
    request = _Request(source, radius, gamma, horizon)
    by_cypher, by_numpy = partial(_by_cypher, request=request), partial(_by_numpy, request=request)
    return ask("ball", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def _by_cypher(asked: Asked, *, request: _Request) -> BallAnswer:
    start = place_of(asked, request.source)
    relax = partial(
        relax_layers,
        asked,
        start.number,
        layer=start.layer,
        last=request.last_layer(asked, start.layer),
        gamma=request.gamma,
        longest=request.radius,
    )
    found, wired = relax(), relax(query="relax_wiring")
    # sorted() is stable: equally near ones stay in the order of places
    numbers = np.array(sorted(sorted(found), key=lambda number: found[number]), dtype=np.int64)
    distances = np.array([found[number] for number in numbers.tolist()])
    unweighted = np.array([wired.get(number, np.inf) for number in numbers.tolist()])
    names = _names(asked, numbers)
    return _answer(asked, request, Ball(numbers, distances), names, _curve(request, distances, unweighted))


def _names(asked: Asked, numbers: IntArray) -> list[str]:
    first = asked.manifest.first_key
    [row] = asked.rows("key_names", keys=(numbers + first).tolist())
    names = dict(zip(row["key"], row["name"], strict=True))
    return [names[first + number] for number in numbers.tolist()]


def _curve(request: _Request, distances: FloatArray, unweighted: FloatArray) -> MassCurve:
    """Return the masses as `mfa.paths.mass_curve` does: whom wiring alone reaches as early does not count."""
    counted = distances[distances < unweighted]
    radii = np.maximum(1, np.rint(counted).astype(np.int64))
    largest = max(1, int(np.rint(request.radius)))
    masses = 1 + np.cumsum(np.bincount(radii, minlength=largest + 1)[1:])
    return MassCurve(np.arange(1, largest + 1), masses)


def _by_numpy(asked: Asked, *, request: _Request) -> BallAnswer:
    start = place_in(asked, request.source)
    last = request.last_layer(asked, start.layer)
    # a graph of paths has one link at least, also at the end of the network
    layer = min(start.layer, max(last - 1, 0))
    first = int(asked.sample.offsets[layer])
    paths = path_graph(part_of(asked.graph(), layer, last), max_distance=request.radius)
    found = ball_of_paths(paths, start.number - first, radius=request.radius, gamma=request.gamma)
    curve = mass_curve(paths, start.number - first, gamma=request.gamma)
    numbers = found.neurons + first
    return _answer(asked, request, Ball(numbers, found.distances), names_of(asked, numbers), curve)


def _answer(asked: Asked, request: _Request, found: Ball, names: list[str], curve: MassCurve) -> BallAnswer:
    layers = np.searchsorted(asked.sample.offsets, found.neurons, side="right") - 1
    return BallAnswer(
        source=request.source,
        radius=request.radius,
        gamma=request.gamma,
        horizon=request.horizon,
        size=found.neurons.size,
        members=tuple(map(Member, names, layers.tolist(), found.distances.tolist())),
        radii=tuple(curve.radii.tolist()),
        masses=tuple(curve.masses.tolist()),
    )
