"""Which points of a curve, in which order, and which of their fields: words that routes of curves share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol, TypeVar

from fastapi import Depends, Query
from pydantic import StringConstraints

from neuromfa import series_check
from neuromfa.app.dependencies import made_at_once
from neuromfa.app.nearest import nearest
from neuromfa.errors import OptionError
from neuromfa.mfa.diagnostics import FLAGS
from neuromfa.results import Estimate
from neuromfa.weight_flags import NON_FINITE_WEIGHTS, ZERO_WEIGHTS

LARGEST_STEP = 10**15
MOST_WORDS = 50
KNOWN_FLAGS = (
    *FLAGS,
    NON_FINITE_WEIGHTS,
    ZERO_WEIGHTS,
    series_check.SAME_WEIGHTS,
    series_check.OTHER_DTYPE,
)

Order = Literal[
    "step", "-step", "alpha0", "-alpha0", "width", "-width", "emergence", "-emergence"
]  # fmt: skip
Words = list[Annotated[str, StringConstraints(min_length=1, max_length=2000)]]
FirstStep = Annotated[int | None, Query(ge=0, le=LARGEST_STEP, description="First step wanted.")]
LastStep = Annotated[int | None, Query(ge=0, le=LARGEST_STEP, description="Last step wanted.")]


@dataclass(frozen=True)
class Between:
    """Which steps are taken of a list; all without a word."""

    from_step: FirstStep = None
    to_step: LastStep = None


class CurveLike(Protocol):
    """A point of a curve, long or short."""

    @property
    def step(self) -> int | None: ...  # noqa: D102

    @property
    def flags(self) -> list[str]: ...  # noqa: D102


P = TypeVar("P", bound=CurveLike)


@dataclass(frozen=True)
class Sifting:
    """What is taken of a curve."""

    flag: Annotated[
        Words,
        Query(
            default_factory=list,
            max_length=MOST_WORDS,
            description="Only points with this flag; repeated or with commas, those with all of them.",
            examples=[["poor_fit"]],
        ),
    ]
    fields: Annotated[
        Words,
        Query(
            default_factory=list,
            max_length=MOST_WORDS,
            description="Fields of a point that are wanted, repeated or with commas; all without a word.",
            examples=[["step,alpha0,emergence"]],
        ),
    ]
    from_step: FirstStep = None
    to_step: LastStep = None
    sort: Annotated[
        Order,
        Query(
            description="Order of the points; with - in front from the largest down, what is missing last."
        ),
    ] = "step"

    @property
    def is_asked(self) -> bool:
        """True where any of this was asked for."""
        ranged = self.from_step is not None or self.to_step is not None
        return bool(self.flag or self.fields) or self.sort != "step" or ranged

    def of(self, points: Iterable[P]) -> list[P]:
        """Return the points that are wanted, in the order that is wanted; they come by step."""
        points = list(points)
        flags = self._flags(points)
        kept = [point for point in points if self._is_within(point.step) and flags <= set(point.flags)]
        return kept if self.sort == "step" else _ordered(kept, self.sort)

    def names(self, record: type) -> set[str] | None:
        """Return the fields that are wanted of a record, None for all; `OptionError` for one it has not."""
        known = list(record.__dataclass_fields__)  # type: ignore[attr-defined]
        wanted = parted(self.fields)
        for name in wanted:
            _check(name, known, what="field")
        return set(wanted) or None

    def _flags(self, points: Sequence[P]) -> set[str]:
        wanted = parted(self.flag)
        known = {*KNOWN_FLAGS, *(flag for point in points for flag in point.flags)}
        for flag in wanted:
            _check(flag, sorted(known), what="flag")
        return set(wanted)

    def _is_within(self, step: int | None) -> bool:
        if step is None:
            return self.from_step is None and self.to_step is None
        return (self.from_step or 0) <= step <= (LARGEST_STEP if self.to_step is None else self.to_step)


def parted(words: Iterable[str]) -> list[str]:
    """Return the words of a list that was repeated or written with commas, each once."""
    return list(dict.fromkeys(part.strip() for word in words for part in word.split(",") if part.strip()))


def _check(word: str, known: Sequence[str], *, what: str) -> None:
    if word not in known:
        raise OptionError(
            f"{what} {word[:80]!r} is not known; the nearest is {nearest(word, known)} (there are {', '.join(known)})"
        )


def _ordered(points: list[P], order: Order) -> list[P]:
    name, downwards = order.removeprefix("-"), order.startswith("-")
    values = [(_value(point, name), point) for point in points]
    known = [(value, point) for value, point in values if value is not None]
    known.sort(key=lambda pair: pair[0], reverse=downwards)
    return [point for _, point in known] + [point for value, point in values if value is None]


def _value(point: Any, name: str) -> float | None:
    value: float | Estimate | None = getattr(point, name)
    return value.value if isinstance(value, Estimate) else value


Sifted = Annotated[Sifting, Depends(made_at_once(Sifting))]
Steps = Annotated[Between, Depends(made_at_once(Between))]
