"""How E, alpha0 and width of a series go along with its benchmark scores, and how those of the nulls do.

Two curves that both rise with training correlate, whatever else they are. So coefficients are description, and p comes
from a test that asks whether they move together beyond their trends (`shift_test`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuromfa.declared import DOCUMENTED
from neuromfa.mfa.nulls import NULL_KINDS
from neuromfa.network import FloatArray
from neuromfa.results import REAL, CheckpointNumbers, excess_by_step, values_by_step
from neuromfa.scores import Score, by_benchmark
from neuromfa.shift_test import FEW_STEPS, shift_test

MEASURES = ("emergence", "alpha0", "width")
EXCESS = "excess"
FEWEST = 3
FEWEST_BEYOND_TREND = 4
CONSTANT, NO_RMS, NO_REMAINDER = "constant", "no_rms", "no_remainder"
CAVEAT = (
    "Coefficients are description: whatever grows with training goes along with whatever else does. p asks whether two "
    "curves move together beyond their trends, and needs 25 steps; q is p over all tasks and measures."
)

Curve = Mapping[int, float]
"""A value by step."""


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """How one measure goes along with one benchmark over the steps that have both."""

    __pydantic_config__ = DOCUMENTED

    measure: str
    """emergence, alpha0 or width."""
    model: str
    """real, a null, or excess (of the measure over the null shuffled)."""
    task: str
    """Benchmark."""
    metric: str
    """What of it was scored."""
    n: int
    """Steps that have both."""
    pearson: float | None = None
    """r; description, as all coefficients here."""
    spearman: float | None = None
    """rho: r of the ranks."""
    partial_step: float | None = None
    """r given log(step + 1)."""
    partial_rms: float | None = None
    """r given log rms of the weights."""
    differences: float | None = None
    """r of the changes from step to step."""
    reason: str | None = None
    """Why there are no coefficients: few_steps below 3, constant where one of the two never changes."""
    partial_step_reason: str | None = None
    """Why it is null: few_steps below 4, no_remainder where log(step + 1) tells one of the two whole."""
    partial_rms_reason: str | None = None
    """Why it is null: as above, or no_rms where a result of one of the steps has none."""
    differences_reason: str | None = None
    """Why it is null: few_steps below 4, constant where one of the two always changes by as much."""
    p: float | None = None
    """Two-sided p of the circular shift test of detrended first differences."""
    p_reason: str | None = None
    """Why it is null: few_steps below 25, constant, uneven_steps, only_trend."""
    q: float | None = None
    """p after Benjamini and Hochberg, over all tasks and measures of this model."""


def correlate(
    results: Sequence[CheckpointNumbers], scores: Sequence[Score], *, from_step: int = 0
) -> list[Correlation]:
    """Correlate every measure, its excess, and every null, with every benchmark over the steps that have both.

    Parameters
    ----------
    from_step : the first step that takes part
    """
    nulls = [name for name in NULL_KINDS if any(name in (result.nulls or ()) for result in results)]
    curves = {
        (measure, model): values_by_step(results, measure, model=model)
        for measure in MEASURES
        for model in (REAL, *nulls)
    }
    for measure in MEASURES:
        over = excess_by_step(results, measure)
        if over:
            curves[measure, EXCESS] = over
    rms = {result.step: result.rms for result in results if result.step is not None and result.rms}
    return correlate_curves(curves, scores, rms=rms, from_step=from_step)


def correlate_curves(
    curves: Mapping[tuple[str, str], Curve],
    scores: Sequence[Score],
    *,
    rms: Curve | None = None,
    from_step: int = 0,
) -> list[Correlation]:
    """Do the same for curves from elsewhere.

    Parameters
    ----------
    curves : value by step, by measure and model
    rms : root mean square of the weights by step, where it is known
    """
    found = [
        _correlation(
            Correlation(measure=measure, model=model, task=task, metric=metric, n=0),
            {step: value for step, value in values.items() if step >= from_step},
            scored,
            rms or {},
        )
        for task, metric, scored in by_benchmark(scores)
        for (measure, model), values in curves.items()
    ]
    return _with_q(found)


def _correlation(named: Correlation, values: Curve, scored: Curve, rms: Curve) -> Correlation:
    steps = np.array(sorted(values.keys() & scored.keys()), dtype=float)
    x, y = (np.array([table[int(step)] for step in steps]) for table in (values, scored))
    named = replace(named, n=steps.size)
    reason = _reason(x, y)
    if reason:
        told = dict.fromkeys(
            ("reason", "partial_step_reason", "partial_rms_reason", "differences_reason"), reason
        )
        return replace(named, **told, p_reason=reason)  # type: ignore[arg-type]
    partial_step, step_reason = _partial(x, y, np.log(steps + 1.0))
    partial_rms, rms_reason = _given_rms(x, y, steps, rms)
    differences, differences_reason = _of_differences(x, y)
    p, p_reason = shift_test(steps, x, y)
    return replace(
        named,
        pearson=_r(x, y),
        spearman=_r(_ranks(x), _ranks(y)),
        partial_step=partial_step,
        partial_step_reason=step_reason,
        partial_rms=partial_rms,
        partial_rms_reason=rms_reason,
        differences=differences,
        differences_reason=differences_reason,
        p=p,
        p_reason=p_reason,
    )


def _reason(x: FloatArray, y: FloatArray) -> str | None:
    if x.size < FEWEST:
        return FEW_STEPS
    return CONSTANT if np.ptp(x) == 0.0 or np.ptp(y) == 0.0 else None


def _given_rms(
    x: FloatArray, y: FloatArray, steps: FloatArray, rms: Curve
) -> tuple[float | None, str | None]:
    if any(int(step) not in rms for step in steps):
        return None, NO_RMS
    return _partial(x, y, np.log([rms[int(step)] for step in steps]))


def _partial(x: FloatArray, y: FloatArray, given: FloatArray) -> tuple[float | None, str | None]:
    """Return r of what a straight line in `given` leaves of x and y, or None and why there is none."""
    if x.size < FEWEST_BEYOND_TREND:
        return None, FEW_STEPS
    lines = np.column_stack([np.ones(x.size), given])
    left = [z - lines @ np.linalg.lstsq(lines, z, rcond=None)[0] for z in (x, y)]
    is_told = any(
        np.linalg.norm(rest) <= 1e-9 * np.linalg.norm(z - z.mean())
        for rest, z in zip(left, (x, y), strict=True)
    )
    return (None, NO_REMAINDER) if is_told else (_r(left[0], left[1]), None)


def _of_differences(x: FloatArray, y: FloatArray) -> tuple[float | None, str | None]:
    if x.size < FEWEST_BEYOND_TREND:
        return None, FEW_STEPS
    changes = [np.diff(z) for z in (x, y)]
    if any(np.ptp(change) <= 1e-9 * np.abs(change).max() for change in changes):
        return None, CONSTANT
    return _r(changes[0], changes[1]), None


def _r(x: FloatArray, y: FloatArray) -> float:
    a, b = x - x.mean(), y - y.mean()
    return float(np.clip(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)), -1.0, 1.0))  # rounding can pass 1


def _ranks(x: FloatArray) -> FloatArray:
    from scipy import stats  # takes half a second to load, and little else here needs it

    return np.asarray(stats.rankdata(x), dtype=float)


def _with_q(found: Sequence[Correlation]) -> list[Correlation]:
    """Add to every p its q, over all tasks and measures of its model."""
    from scipy import stats

    q: dict[int, float] = {}
    for model in {one.model for one in found}:
        tested = {k: one.p for k, one in enumerate(found) if one.model == model and one.p is not None}
        if tested:
            q |= zip(tested, map(float, stats.false_discovery_control(list(tested.values()))), strict=True)
    return [replace(one, q=q.get(k)) for k, one in enumerate(found)]
