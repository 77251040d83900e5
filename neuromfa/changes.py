"""Records of change points of curves (ours).

Field names are the JSON names of every output, as in `results`, whose records these stand in.
"""

from dataclasses import dataclass, field

from neuromfa.declared import DOCUMENTED


@dataclass(frozen=True)
class ChangePoint:
    """A place between two steps at which a curve takes another direction."""

    __pydantic_config__ = DOCUMENTED

    after: int
    """The last step before it."""
    before: int
    """The first step after it."""
    slope_before: float
    """Slope over log(step + 1) of the piece that ends there."""
    slope_after: float
    """Slope of the piece that begins."""


@dataclass(frozen=True)
class CurveChanges:
    """The change points of one curve."""

    __pydantic_config__ = DOCUMENTED

    points: list[ChangePoint] = field(default_factory=list)
    """In the order of steps; none where the curve is one straight piece."""
    n: int = 0
    """Steps it was looked for in."""
    reason: str | None = None
    """Why it was not looked for: few_steps below 10, no_noise, or not_installed (extra changes)."""
