"""Curves of whole series in short: what a picture of many models needs of each step."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from neuromfa.declared import DOCUMENTED
from neuromfa.frames import Row, flat_rows
from neuromfa.results import CheckpointNumbers, Estimate
from neuromfa.structure import Answer, Excess, SeriesVerdict

MEASURES = ("alpha0", "width", "emergence")
NULL = "shuffled"


@dataclass(frozen=True, kw_only=True)
class CompactPoint:
    """One step of a curve in short; with `fields` only those that were asked for are there."""

    __pydantic_config__ = DOCUMENTED

    step: int | None = None
    """Training step, null for a checkpoint outside any series."""
    tokens: int | None = None
    """Tokens seen until then, where the name of the step tells them."""
    alpha0: Estimate | None = None
    """alpha0 = tau'(0), without unit, mean over samples."""
    width: Estimate | None = None
    """Width of the spectrum, without unit, mean over samples."""
    emergence: Estimate | None = None
    """E against the baseline, without unit; null with a reason beside it where there is none."""
    emergence_reason: str | None = None
    """Why there is no E."""
    excess: dict[str, Estimate] | None = None
    """Excess of alpha0, width and emergence over shuffled weights, by measure; null where no nulls were measured."""
    structure: Answer | None = None
    """Is there structure that scale does not explain: yes, no or undecided; null where nothing can be said."""
    flags: list[str] = field(default_factory=list)
    """What makes these numbers doubtful, by name."""


@dataclass(frozen=True, kw_only=True)
class ModelCurve:
    """The curve of one model in one analysis, and what the whole series answers."""

    __pydantic_config__ = DOCUMENTED

    model: str
    """Id of the model."""
    options_hash: str | None
    """Identity of the analysis that is shown; null where the model has none of those asked for."""
    method_version: int | None
    """Version of the method that gave the numbers; those of different versions are not compared."""
    profile: str | None
    """Profile of the analysis."""
    hops: str | None
    """Direct edges (1), or paths of several hops (multi)."""
    baseline: str | None
    """What E was measured against."""
    found: int
    """Checkpoints of the model in the store."""
    measured: int
    """How many of them have numbers of this analysis."""
    failed: int
    """How many could not be measured when they were last looked at."""
    verdict: SeriesVerdict | None
    """What the whole series answers, also where points were left out; null without any verdict."""
    flags: dict[str, int]
    """Number of measured steps that carry a flag, by flag, also of points that were left out."""
    points: list[CompactPoint]
    """By step, unless another order was asked for."""


def curve_rows(curves: Iterable[ModelCurve], *, names: Collection[str] | None = None) -> list[Row]:
    """Return one row a model and step, with plain columns: alpha0, alpha0_low, alpha0_high and so on.

    Parameters
    ----------
    names : fields of a point that are wanted, None for all
    """
    wanted = [each.name for each in fields(CompactPoint) if names is None or each.name in names]
    points = [(curve.model, point) for curve in curves for point in curve.points]
    rows = flat_rows({name: getattr(point, name) for name in wanted} for _, point in points)
    return [{"model": model, **row} for (model, _), row in zip(points, rows, strict=True)]


def compact(numbers: CheckpointNumbers) -> CompactPoint:
    """Return the numbers of a step in short."""
    return CompactPoint(
        step=numbers.step,
        tokens=numbers.tokens,
        alpha0=numbers.alpha0,
        width=numbers.width,
        emergence=numbers.emergence,
        emergence_reason=numbers.emergence_reason,
        excess=_excess(numbers),
        structure=numbers.verdict.structure.answer if numbers.verdict else None,
        flags=numbers.flags,
    )


def _excess(numbers: CheckpointNumbers) -> dict[str, Estimate] | None:
    over: Any = (numbers.excess or {}).get(NULL)
    if over is None:
        return None
    own: dict[str, Excess | None] = {measure: getattr(over, measure) for measure in MEASURES}
    return {
        name: Estimate(one.value, one.low, one.high, one.n) for name, one in own.items() if one is not None
    }
