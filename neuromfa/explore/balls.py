"""The ball of one neuron, all it reaches within a path distance, and how its mass grows with the radius."""

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.explore.arrays import names_of, part_of, place_in
from neuromfa.explore.asking import Asked, ask
from neuromfa.explore.engines import Engine, EngineChoice
from neuromfa.explore.lookup import place_of
from neuromfa.explore.paths import require_gamma
from neuromfa.explore.relaxation import relax_layers
from neuromfa.explore.stored import USUAL, StoredSample
from neuromfa.mfa.paths import distances_from, path_graph
from neuromfa.network import FloatArray, IntArray, SampleGraph


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
    engine: Engine = field(compare=False)


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
    numbers = np.array(sorted(found), dtype=np.int64)
    distances = np.array([found[number] for number in numbers.tolist()])
    unweighted = np.array([wired.get(number, np.inf) for number in numbers.tolist()])
    order = np.argsort(distances, kind="stable")
    names = _names(asked, numbers[order])
    return _answer(asked, request, numbers[order], distances[order], unweighted[order], names, "cypher")


def _names(asked: Asked, numbers: IntArray) -> list[str]:
    first = asked.manifest.first_key
    [row] = asked.rows("key_names", keys=(numbers + first).tolist())
    names = dict(zip(row["key"], row["name"], strict=True))
    return [names[first + number] for number in numbers.tolist()]


def _by_numpy(asked: Asked, *, request: _Request) -> BallAnswer:
    start = place_in(asked, request.source)
    first = int(asked.sample.offsets[start.layer])
    part = part_of(asked.graph(), start.layer, request.last_layer(asked, start.layer))
    distances = _distances(part, start.number - first, request)
    unweighted = _distances(_wiring_of(part), start.number - first, request)
    inside = np.flatnonzero(distances < np.inf)
    inside = inside[np.argsort(distances[inside], kind="stable")]
    numbers = inside + first
    return _answer(
        asked, request, numbers, distances[inside], unweighted[inside], names_of(asked, numbers), "numpy"
    )


def _distances(part: SampleGraph, source: int, request: _Request) -> FloatArray:
    if not part.edges:
        return np.zeros(1) if part.n_neurons == 1 else np.where(np.arange(part.n_neurons) == source, 0.0, np.inf)
    paths = path_graph(part, max_distance=request.radius)
    return distances_from(paths, source, gamma=request.gamma)


def _answer(
    asked: Asked,
    request: _Request,
    numbers: IntArray,
    distances: FloatArray,
    unweighted: FloatArray,
    names: list[str],
    engine: Engine,
) -> BallAnswer:
    layers = np.searchsorted(asked.sample.offsets, numbers, side="right") - 1
    largest = max(1, int(np.rint(request.radius)))
    counted = distances[distances < unweighted]
    radii = np.maximum(1, np.rint(counted).astype(np.int64))
    masses = 1 + np.cumsum(np.bincount(radii, minlength=largest + 1)[1:])
    return BallAnswer(
        source=request.source,
        radius=request.radius,
        gamma=request.gamma,
        horizon=request.horizon,
        size=numbers.size,
        members=tuple(map(Member, names, layers.tolist(), distances.tolist())),
        radii=tuple(range(1, largest + 1)),
        masses=tuple(masses.tolist()),
        engine=engine,
    )
