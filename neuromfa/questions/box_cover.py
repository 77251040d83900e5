"""Box covering of a sample or of some of its layers, on undirected path distances.

All pairs of a large sample fit nowhere, so the number of neurons is bounded. Under `cypher` the server gives the
distances, by relaxation, and numpy does the covering: greedy choices that depend on each other are no query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import OptionError
from neuromfa.mfa.balls import Balls
from neuromfa.mfa.boxes import ROUNDING, BoxCovering, CoverMethod, burn, colour, cover, excluded_mass_centres
from neuromfa.mfa.paths import path_graph
from neuromfa.network import BoolArray
from neuromfa.questions.engine.by_cypher import names_of_layers
from neuromfa.questions.engine.by_numpy import names_of, part_of
from neuromfa.questions.engine.question import About, Faster, QueryEngine, SampleQuestion
from neuromfa.questions.engine.relaxation import nearest_centres, pair_distances
from neuromfa.questions.engine.subjects import StoredSample
from neuromfa.questions.engine.words import MOST_LAYERS, USUAL, Gamma, Limit, Radius

MOST_NEURONS: Mapping[QueryEngine, int] = {"numpy": 4096, "cypher": 512}

BoxRadius = Annotated[
    Radius,
    Field(
        description="r: balls d <= r under `memb`, boxes of diameter 2r under `burning` and `colouring`; unit 1/|w|."
    ),
]
BoxMethod = Annotated[
    CoverMethod,
    Field(description="Maximum excluded mass burning, compact box burning, or greedy colouring."),
]
FirstLayer = Annotated[
    int, Field(ge=0, lt=MOST_LAYERS, description="First layer to cover; paths stay within.")
]


@dataclass(frozen=True)
class Box:
    """One box."""

    __pydantic_config__ = DOCUMENTED

    centre: str | None
    """Its centre under `memb`, else null."""
    neurons: tuple[str, ...]
    """Names of its neurons, by place."""


@dataclass(frozen=True)
class BoxCoverAnswer:
    """A covering by boxes."""

    __pydantic_config__ = DOCUMENTED

    radius: BoxRadius
    method: BoxMethod
    gamma: Gamma
    first_layer: FirstLayer
    last_layer: int
    """Last layer that was covered."""
    n_neurons: int
    """Number of neurons covered."""
    n_boxes: int
    """N_B(r), the number of boxes."""
    sizes: tuple[int, ...]
    """Neurons in each of all boxes."""
    boxes: tuple[Box, ...]
    """The first of them, in the order they were found."""


class BoxCover(SampleQuestion[BoxCoverAnswer]):
    """A covering of some layers by boxes: maximum excluded mass burning, compact box burning, or greedy colouring.

    Distances are undirected; all pairs of too many neurons are refused.
    """

    about = About("boxes", "boxes", Faster(cold="numpy", warm="numpy"))

    radius: BoxRadius
    method: BoxMethod = "memb"
    gamma: Gamma = USUAL.gamma
    first_layer: FirstLayer = 0
    last_layer: Annotated[int | None, Field(ge=0, lt=MOST_LAYERS, examples=[5])] = None
    """Last layer to cover; left out: that of the sample."""
    limit: Limit = 100

    def check(self, sample: StoredSample) -> None:
        """Raise `OptionError` for layers that are not there, or a reach beyond what was stored."""
        last = self._last(sample)
        sample.require_layer(self.first_layer)
        sample.require_layer(last)
        if self.first_layer >= last:
            raise OptionError(f"boxes need two layers or more, not {self.first_layer} to {last}")
        sample.require_range(self._reach, what="the radius (or twice it)")

    def faster(self, sample: StoredSample) -> Faster:
        """Return numpy where all pairs fit nowhere else."""
        fits = self._size(sample) <= MOST_NEURONS["cypher"]
        return self.about.faster if fits else Faster(cold="numpy", warm="numpy")

    def by_cypher(self, sample: StoredSample) -> BoxCoverAnswer:
        """Relax all pairs on the server, and choose the boxes here."""
        self._require_fit(sample, "cypher")
        layers = {"first": self.first_layer, "last": self._last(sample)}
        near = pair_distances(sample, **layers, gamma=self.gamma, longest=self._reach) < np.inf
        balls = _balls(near, self._reach)
        order = np.arange(balls.n)
        if self.method == "memb":
            centres = excluded_mass_centres(balls)
            reach = self.radius * (1.0 + ROUNDING)
            box = nearest_centres(sample, centres, **layers, gamma=self.gamma, longest=reach)
            covering = BoxCovering(self.method, self.radius, centres.size, box, centres)
        else:
            box = burn(balls, order=order) if self.method == "burning" else colour(balls, order=order)
            covering = BoxCovering(self.method, self.radius, int(box.max(initial=-1)) + 1, box, None)
        return self._answer(sample, covering, names_of_layers(sample, **layers))

    def by_numpy(self, sample: StoredSample) -> BoxCoverAnswer:
        """Cover the layers in memory."""
        self._require_fit(sample, "numpy")
        part = part_of(sample.graph(), self.first_layer, self._last(sample))
        paths = path_graph(part, max_distance=sample.manifest.max_distance, undirected=True)
        covering = cover(paths, radius=self.radius, gamma=self.gamma, method=self.method)
        numbers = np.arange(paths.n) + sample.offsets[self.first_layer]
        return self._answer(sample, covering, names_of(sample, numbers))

    @property
    def _reach(self) -> float:
        """The largest distance that two neurons of a box may have from what makes it a box."""
        return self.radius if self.method == "memb" else 2.0 * self.radius

    def _last(self, sample: StoredSample) -> int:
        return sample.last_layer if self.last_layer is None else self.last_layer

    def _size(self, sample: StoredSample) -> int:
        """Return the number of neurons to cover."""
        return int(sample.offsets[self._last(sample) + 1] - sample.offsets[self.first_layer])

    def _require_fit(self, sample: StoredSample, engine: QueryEngine) -> None:
        n, most = self._size(sample), MOST_NEURONS[engine]
        if n > most:
            raise OptionError(
                f"layers {self.first_layer} to {self._last(sample)} hold {n} neurons, and all pairs of at most {most} "
                f"fit (engine {engine}): take fewer layers"
            )

    def _answer(self, sample: StoredSample, covering: BoxCovering, names: list[str]) -> BoxCoverAnswer:
        found = _boxes(covering, names)
        return BoxCoverAnswer(
            radius=self.radius,
            method=self.method,
            gamma=self.gamma,
            first_layer=self.first_layer,
            last_layer=self._last(sample),
            n_neurons=len(names),
            n_boxes=covering.n_boxes,
            sizes=tuple(len(box.neurons) for box in found),
            boxes=found[: self.limit],
        )


def _balls(near: BoolArray, radius: float) -> Balls:
    """Return balls from who is near whom; of each pair the distance from the lower number counts."""
    whole = np.triu(near) | np.triu(near, 1).T
    start = np.concatenate([[0], np.cumsum(whole.sum(axis=1))])
    return Balls(start.astype(np.int32), np.nonzero(whole)[1].astype(np.int32), radius)


def _boxes(covering: BoxCovering, names: list[str]) -> tuple[Box, ...]:
    """Return all boxes in the order they were found."""
    members: list[list[str]] = [[] for _ in range(covering.n_boxes)]
    for name, box in zip(names, covering.box.tolist(), strict=True):
        members[box].append(name)
    centres = [None] * covering.n_boxes if covering.centres is None else covering.centres.tolist()
    return tuple(
        Box(None if centre is None else names[centre], tuple(inside))
        for centre, inside in zip(centres, members, strict=True)
    )
