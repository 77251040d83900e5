"""Intervals: the jackknife over seeds with Student's t, deterministic and about nominal at ten samples."""

from collections.abc import Sequence

import numpy as np

from neuromfa.errors import AnalysisError, UndefinedEmergence
from neuromfa.mfa.emergence import emergence
from neuromfa.mfa.t_distribution import t_quantile
from neuromfa.network import FloatArray
from neuromfa.results import Estimate

CONFIDENCE = 0.95
SMALLEST_SAMPLE = 3


def student_t(n: int) -> float:
    """Return the two-sided 95 % quantile of Student's t with n - 1 degrees of freedom."""
    return t_quantile((1.0 + CONFIDENCE) / 2.0, n - 1)


def half_width(replicates: FloatArray) -> FloatArray:
    """Return half the jackknife interval (ours), t * sqrt((n - 1) / n * sum_i (theta_(i) - mean)^2).

    Parameters
    ----------
    replicates : float64 array of shape (n, ...), the statistic with sample i left out
    """
    n = len(replicates)
    deviations = replicates - replicates.mean(axis=0)
    half: FloatArray = student_t(n) * np.sqrt((n - 1) / n * np.sum(np.square(deviations), axis=0))
    return half


def leave_one_out(values: FloatArray) -> FloatArray:
    """Return the means without one sample each, shape as `values`, samples along the first axis."""
    means: FloatArray = (values.sum(axis=0) - values) / (len(values) - 1)
    return means


def mean_estimate(values: Sequence[float]) -> Estimate:
    """Return the mean over seeds with its interval; no interval below 3 samples."""
    samples = np.asarray(values, dtype=np.float64)
    mean, n = float(samples.mean()), len(samples)
    if n < SMALLEST_SAMPLE:
        return Estimate(mean, None, None, n)
    half = float(half_width(leave_one_out(samples)))
    return Estimate(mean, mean - half, mean + half, n)


def mean_curve(curves: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray | None, FloatArray | None]:
    """Return mean, low and high of curves over seeds, each of the shape of one curve."""
    samples = np.asarray(curves)
    mean = samples.mean(axis=0)
    if len(samples) < SMALLEST_SAMPLE:
        return mean, None, None
    half = half_width(leave_one_out(samples))
    return mean, mean - half, mean + half


def emergence_estimate(
    *,
    widths_t: Sequence[float],
    widths_0: Sequence[float],
    alpha0s_t: Sequence[float],
    alpha0s_0: Sequence[float],
) -> Estimate:
    """Return E of the means with its paired jackknife interval: a seed leaves both series at once.

    The interval is None below 3 samples, and where E does not exist without one of the seeds.

    Raises
    ------
    UndefinedEmergence : E does not exist for the means
    AnalysisError : the two series have different numbers of samples
    """
    table = _paired(widths_t, widths_0, alpha0s_t, alpha0s_0)
    value, n = _emergence_of(table.mean(axis=0)), len(table)
    if n < SMALLEST_SAMPLE:
        return Estimate(value, None, None, n)
    try:
        replicates = np.array([_emergence_of(means) for means in leave_one_out(table)])
    except UndefinedEmergence:
        return Estimate(value, None, None, n)
    half = float(half_width(replicates))
    return Estimate(value, value - half, value + half, n)


def _paired(*series: Sequence[float]) -> FloatArray:
    if len({len(values) for values in series}) > 1:
        raise AnalysisError(
            f"a checkpoint of {len(series[0])} samples cannot be paired with a baseline of {len(series[1])}: "
            "measure both with the same seeds"
        )
    return np.column_stack(series)


def _emergence_of(means: FloatArray) -> float:
    width_t, width_0, alpha0_t, alpha0_0 = means.tolist()
    return emergence(width_t=width_t, width_0=width_0, alpha0_t=alpha0_t, alpha0_0=alpha0_0)
