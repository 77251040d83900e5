"""Differences between two series, between two groups, and the spread within one: Student's t and Welch's test.

Both work from means and standard errors, since E has no value per sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from neuromfa.comparison.records import (
    FEW_RUNS,
    NO_SPREAD,
    NO_VALUE,
    BetweenRuns,
    Difference,
    Method,
    Value,
)
from neuromfa.comparison.values import BySeed
from neuromfa.mfa.excess import chance_factor, quantile
from neuromfa.mfa.t_distribution import t_quantile, t_two_sided
from neuromfa.mfa.uncertainty import CONFIDENCE, SMALLEST_SAMPLE, student_t
from neuromfa.mfa.verdict import LEVEL, POWER, change_of
from neuromfa.structure import FEW_SAMPLES, WHOLE_LAYER, Effect, Excess

FEWEST_RUNS = 2


@dataclass(frozen=True)
class Mean:
    """A mean over `n` independent values, with its standard error."""

    value: float
    se: float
    n: int


def welch(first: Mean, second: Mean, *, method: Method) -> Difference:
    """Return the difference of two means whose spreads need not be equal (Welch 1947)."""
    variances = np.square([first.se, second.se])
    se = sqrt(variances.sum())
    if se == 0.0:
        df = float(first.n + second.n - 2)
    else:
        # shares, since squares of small variances pass below the smallest number
        shares = variances / variances.sum()
        df = float(1.0 / (shares**2 / (first.n - 1, second.n - 1)).sum())
    return tested(first.value - second.value, se, df, method=method, n=(first.n, second.n))


def paired(first: BySeed, second: BySeed) -> Difference:
    """Return the mean difference of two series at the same seeds."""
    values = np.array([first[seed] - second[seed] for seed in sorted(first)])
    n = values.size
    se = float(values.std(ddof=1)) / sqrt(n)
    return tested(float(values.mean()), se, n - 1.0, method="paired", n=(n, n))


def unpaired(first: Value, second: Value) -> Difference:
    """Return the difference of two values from their intervals over samples."""
    n = (first.n, second.n)
    if first.value is None or second.value is None:
        return Difference(value=None, n=n, reason=first.reason or second.reason or NO_VALUE)
    means = _mean(first), _mean(second)
    if means[0] is None or means[1] is None:
        return Difference(value=first.value - second.value, n=n, reason=FEW_SAMPLES)
    return welch(means[0], means[1], method="unpaired")


def between_runs(values: Sequence[Value]) -> BetweenRuns:
    """Return mean and standard deviation over the runs that have a value, with the interval of the mean."""
    present = [one.value for one in values if one.value is not None]
    n = len(present)
    if n < FEWEST_RUNS:
        reason = FEW_RUNS if present or not values else values[0].reason or NO_VALUE
        return BetweenRuns(value=present[0] if present else None, n=n, reason=reason)
    mean, sd = float(np.mean(present)), float(np.std(present, ddof=1))
    half = student_t(n) * sd / sqrt(n)
    return BetweenRuns(value=mean, sd=sd, low=mean - half, high=mean + half, n=n)


def between_groups(first: BetweenRuns, second: BetweenRuns) -> Difference:
    """Return the difference of two groups by Welch's t test over their runs."""
    n = (first.n, second.n)
    if first.value is None or second.value is None:
        return Difference(value=None, n=n, reason=first.reason or second.reason)
    means = _mean_of_runs(first), _mean_of_runs(second)
    if means[0] is None or means[1] is None:
        return Difference(value=first.value - second.value, n=n, reason=FEW_RUNS)
    return welch(means[0], means[1], method="runs")


def structure_of(difference: Difference, first: Effect, second: Effect) -> Effect:
    """Answer whether the structure of two series differs, by the rule of the verdict for a change.

    Parameters
    ----------
    difference : of g2
    first, second : what each series answers for itself
    """
    n, draws = min(difference.n), min(first.draws, second.draws)
    known = Excess(value=difference.value, n=n, draws=draws, reason=difference.reason)
    if difference.p is None or difference.se is None or difference.df is None:
        return change_of(known, rho=0.0)
    rho = max(_shared(first), _shared(second))
    t = difference.value / difference.se if difference.value and difference.se else 0.0
    whole = WHOLE_LAYER in (first.reason, second.reason)
    chance = None if whole else t_two_sided(t * chance_factor(n, rho), difference.df)
    excess = replace(
        known,
        low=difference.low,
        high=difference.high,
        se=difference.se,
        p_chance=chance,
        reason=WHOLE_LAYER if whole else None,
    )
    return change_of(excess, rho=rho)


def _shared(effect: Effect) -> float:
    """Return rho of `shared_weights`, which an effect tells by how much larger it has to be to be seen."""
    if not effect.smallest_visible or effect.low is None or effect.high is None:
        return 0.0
    se = (effect.high - effect.low) / 2.0 / student_t(effect.n)
    reach = quantile(1.0 - LEVEL / 2.0, effect.n) + quantile(POWER, effect.n)
    factor = (reach * se / effect.smallest_visible) ** 2
    return max(0.0, (1.0 - factor) / (1.0 + (effect.n - 1) * factor))


def _mean(value: Value) -> Mean | None:
    """Return a value with the standard error that its interval tells, None without an interval."""
    if value.value is None or value.low is None or value.high is None or value.n < SMALLEST_SAMPLE:
        return None
    return Mean(value.value, (value.high - value.low) / 2.0 / student_t(value.n), value.n)


def _mean_of_runs(one: BetweenRuns) -> Mean | None:
    if one.value is None or one.sd is None:
        return None
    return Mean(one.value, one.sd / sqrt(one.n), one.n)


def tested(value: float, se: float, df: float, *, method: Method, n: tuple[int, int]) -> Difference:
    """Return a difference with its interval and p by Student's t."""
    half = t_quantile((1.0 + CONFIDENCE) / 2.0, df) * se
    known = Difference(value=value, low=value - half, high=value + half, se=se, df=df, method=method, n=n)
    if se == 0.0:
        return replace(known, p=1.0) if value == 0.0 else replace(known, reason=NO_SPREAD)
    return replace(known, p=t_two_sided(value / se, df))
