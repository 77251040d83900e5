"""Box covering of a sample or of some of its layers, on undirected path distances.

All pairs of a large sample fit nowhere, so the number of neurons is bounded. Under `cypher` the server gives the
distances, by relaxation, and numpy does the covering: greedy choices that depend on each other are no query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.balls import Balls
from neuromfa.mfa.boxes import ROUNDING, BoxCovering, CoverMethod, burn, colour, cover, excluded_mass_centres
from neuromfa.mfa.paths import path_graph
from neuromfa.network import BoolArray
from neuromfa.questions.engine.by_cypher import names_of_layers
from neuromfa.questions.engine.by_numpy import names_of, part_of
from neuromfa.questions.engine.choice import Engine, EngineChoice
from neuromfa.questions.engine.relaxation import nearest_centres, pair_distances
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import USUAL, StoredSample
from neuromfa.questions.path import require_gamma

MOST_NEURONS: Mapping[Engine, int] = {"numpy": 4096, "cypher": 512}


@dataclass(frozen=True)
class Box:
    """One box: its centre under MEMB, else None, and the names of its neurons by place."""

    centre: str | None
    neurons: tuple[str, ...]


@dataclass(frozen=True)
class BoxAnswer:
    """A covering by boxes.

    Attributes
    ----------
    radius, method, gamma : the question
    first_layer, last_layer : what was covered, paths within these layers
    n_neurons, n_boxes : how many; n_boxes is N_B(r)
    boxes : in the order they were found
    """

    radius: float
    method: CoverMethod
    gamma: float
    first_layer: int
    last_layer: int
    n_neurons: int
    n_boxes: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class _Request:
    radius: float
    method: CoverMethod
    gamma: float
    first: int
    last: int

    def size(self, sample: StoredSample) -> int:
        """Return the number of neurons to cover."""
        return int(sample.offsets[self.last + 1] - sample.offsets[self.first])


def boxes(
    sample: StoredSample,
    *,
    radius: float,
    method: CoverMethod = "memb",
    gamma: float = USUAL.gamma,
    first_layer: int = 0,
    last_layer: int | None = None,
    engine: EngineChoice = "auto",
) -> BoxAnswer:
    """Cover some layers by boxes, see `neuromfa.mfa.boxes.cover`.

    Parameters
    ----------
    radius : r; balls d <= r under ``memb``, boxes of diameter 2r under ``burning`` and ``colouring``
    gamma : cost of every hop after the first
    first_layer, last_layer : what to cover; None for the last layer of the sample

    Raises
    ------
    OptionError : more neurons than fit, a radius beyond what was stored, no such layer or method
    """
    last = sample.last_layer if last_layer is None else last_layer
    sample.require_layer(first_layer)
    sample.require_layer(last)
    if method not in get_args(CoverMethod):
        raise OptionError(f"method is {', '.join(get_args(CoverMethod))}, not {method!r}")
    if first_layer >= last:
        raise OptionError(f"boxes need two layers or more, not {first_layer} to {last}")
    sample.require_range(radius if method == "memb" else 2.0 * radius, what="the radius (or twice it)")
    require_gamma(gamma)
    request = _Request(radius, method, gamma, first_layer, last)
    if engine == "auto" and request.size(sample) > MOST_NEURONS["cypher"]:
        engine = "numpy"
    by_cypher, by_numpy = partial(_by_cypher, request=request), partial(_by_numpy, request=request)
    return ask("boxes", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def _require_size(asked: Asked, request: _Request, engine: Engine) -> None:
    n, most = request.size(asked.sample), MOST_NEURONS[engine]
    if n > most:
        raise OptionError(
            f"layers {request.first} to {request.last} hold {n} neurons, and all pairs of at most {most} fit "
            f"(engine {engine}): take fewer layers"
        )


def _by_numpy(asked: Asked, *, request: _Request) -> BoxAnswer:
    _require_size(asked, request, "numpy")
    part = part_of(asked.graph(), request.first, request.last)
    paths = path_graph(part, max_distance=asked.manifest.max_distance, undirected=True)
    covering = cover(paths, radius=request.radius, gamma=request.gamma, method=request.method)
    numbers = np.arange(paths.n) + asked.sample.offsets[request.first]
    return _answer(request, covering, names_of(asked, numbers))


def _by_cypher(asked: Asked, *, request: _Request) -> BoxAnswer:
    _require_size(asked, request, "cypher")
    wide = request.radius if request.method == "memb" else 2.0 * request.radius
    layers = {"first": request.first, "last": request.last}
    balls = _balls(pair_distances(asked, **layers, gamma=request.gamma, longest=wide) < np.inf, wide)
    order = np.arange(balls.n)
    if request.method == "memb":
        centres = excluded_mass_centres(balls)
        reach = request.radius * (1.0 + ROUNDING)
        box = nearest_centres(asked, centres, **layers, gamma=request.gamma, longest=reach)
        covering = BoxCovering(request.method, request.radius, centres.size, box, centres)
    else:
        box = burn(balls, order=order) if request.method == "burning" else colour(balls, order=order)
        covering = BoxCovering(request.method, request.radius, int(box.max(initial=-1)) + 1, box, None)
    return _answer(request, covering, names_of_layers(asked, **layers))


def _balls(near: BoolArray, radius: float) -> Balls:
    """Return balls from who is near whom; of each pair the distance from the lower number counts."""
    whole = np.triu(near) | np.triu(near, 1).T
    start = np.concatenate([[0], np.cumsum(whole.sum(axis=1))])
    return Balls(start.astype(np.int32), np.nonzero(whole)[1].astype(np.int32), radius)


def _answer(request: _Request, covering: BoxCovering, names: list[str]) -> BoxAnswer:
    members: list[list[str]] = [[] for _ in range(covering.n_boxes)]
    for name, box in zip(names, covering.box.tolist(), strict=True):
        members[box].append(name)
    centres = [None] * covering.n_boxes if covering.centres is None else covering.centres.tolist()
    return BoxAnswer(
        radius=request.radius,
        method=request.method,
        gamma=request.gamma,
        first_layer=request.first,
        last_layer=request.last,
        n_neurons=len(names),
        n_boxes=covering.n_boxes,
        boxes=tuple(
            Box(None if centre is None else names[centre], tuple(inside))
            for centre, inside in zip(centres, members, strict=True)
        ),
    )
