"""What the routes of a stored graph answer: the records of `neuromfa.questions`, lists cut to what was asked for."""

from dataclasses import dataclass

from neuromfa.mfa.boxes import CoverMethod
from neuromfa.questions import BallAnswer, Box, BoxAnswer, MassTable, Member


@dataclass(frozen=True)
class BallPart:
    """The ball of one neuron; `members` are the nearest of `size`, `masses` speak of all."""

    source: str
    radius: float
    gamma: float
    horizon: int | None
    size: int
    members: tuple[Member, ...]
    radii: tuple[int, ...]
    masses: tuple[int, ...]

    @classmethod
    def of(cls, answer: BallAnswer, *, limit: int) -> "BallPart":
        """Keep the nearest members."""
        values = {name: getattr(answer, name) for name in cls.__annotations__}
        return cls(**values | {"members": answer.members[:limit]})


@dataclass(frozen=True)
class BoxPart:
    """A box covering; `boxes` are the first of `n_boxes` in the order they were found, `sizes` are those of all."""

    radius: float
    method: CoverMethod
    gamma: float
    first_layer: int
    last_layer: int
    n_neurons: int
    n_boxes: int
    sizes: tuple[int, ...]
    boxes: tuple[Box, ...]

    @classmethod
    def of(cls, answer: BoxAnswer, *, limit: int) -> "BoxPart":
        """Keep the first boxes."""
        sizes = tuple(len(box.neurons) for box in answer.boxes)
        values = {name: getattr(answer, name) for name in cls.__annotations__ if name != "sizes"}
        return cls(sizes=sizes, **values | {"boxes": answer.boxes[:limit]})


@dataclass(frozen=True)
class MassPart:
    """Masses N(r) of the first of a layer's `n_neurons` neurons: one row a neuron, one column a radius."""

    layer: int
    profile: str
    max_distance: float
    n_neurons: int
    names: tuple[str, ...]
    radii: tuple[int, ...]
    masses: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, table: MassTable, *, limit: int) -> "MassPart":
        """Keep the first neurons."""
        return cls(
            table.layer,
            table.profile,
            table.max_distance,
            len(table.names),
            table.names[:limit],
            table.radii,
            table.masses[:limit],
        )
