"""Plain measures of a weight matrix (ours): size, ranks, outliers of the spectrum, tails, inequality.

Singular values come from the Gram matrix of the smaller side in float32: several times faster than a singular value
decomposition, and exact to about 1e-6 of the largest one, which none of these measures notices.
"""

from dataclasses import dataclass

import numpy as np

from neuromfa.mfa.distance import tiles
from neuromfa.mfa.power_tail import power_tail
from neuromfa.network import FloatArray, WeightArray

EDGE = 1.02
"""How far above the Marchenko-Pastur edge an outlier lies: finite random matrices reach a little beyond it."""
SMALLEST_TAIL = 50
"""A tail of fewer values has no exponent."""
SMALLEST_SCALE = 1e-30
"""Above this float32 holds the reciprocal of a scale with all its digits."""
UNMOVED_BY_SHUFFLING = ("rms", "kurtosis", "max_over_rms")
UNMOVED_BY_REWIRING = (*UNMOVED_BY_SHUFFLING, "cv_source_norms", "gini_strength")


@dataclass(frozen=True)
class PlainMeasures:
    """The plain measures of one matrix; None where there is none."""

    rms: float
    spectral_norm: float
    stable_rank: float
    effective_rank: float
    mp_outliers: float | None
    tail_exponent: float | None
    tail_n: float | None
    tail_ks: float | None
    kurtosis: float | None
    cv_source_norms: float
    cv_target_norms: float
    gini_strength: float
    max_over_rms: float


def plain_measures(weights: WeightArray) -> PlainMeasures:
    """Return the plain measures of a matrix.

    Parameters
    ----------
    weights : (n_target, n_source), finite and not all zero
    """
    sums = _sums(weights)
    unit = _over(weights, sums.rms)
    s = singular_values(unit)
    squares = np.square(s)
    tail = power_tail(squares)
    long = tail is not None and tail.n >= SMALLEST_TAIL
    return PlainMeasures(
        rms=sums.rms,
        spectral_norm=float(s[0]) * sums.rms,
        stable_rank=float(squares.sum() / squares[0]),
        effective_rank=effective_rank(squares),
        mp_outliers=_outliers(unit, s, mean=sums.mean / sums.rms, deviation=sums.deviation / sums.rms),
        tail_exponent=tail.exponent if tail is not None and long else None,
        tail_n=tail.n if tail is not None else None,
        tail_ks=tail.ks if tail is not None else None,
        kurtosis=sums.kurtosis,
        cv_source_norms=_variation(np.sqrt(sums.source_squares)),
        cv_target_norms=_variation(np.sqrt(sums.target_squares)),
        gini_strength=gini(sums.source_strengths),
        max_over_rms=sums.largest / sums.rms,
    )


def singular_values(weights: WeightArray) -> FloatArray:
    """Return the singular values of a matrix of float32, the largest first, by the Gram matrix of its smaller side.

    Returns
    -------
    s : float64 array of shape (min(n_target, n_source),); those below about 1e-3 of the largest are rounding
    """
    from scipy.linalg import eigvalsh  # takes time to load, for those who ask for whole matrices

    n_target, n_source = weights.shape
    gram = weights @ weights.T if n_target <= n_source else weights.T @ weights
    found = eigvalsh(gram, overwrite_a=True, check_finite=False, driver="evd")
    s: FloatArray = np.sqrt(np.maximum(found[::-1].astype(np.float64), 0.0))
    return s


def _over(weights: WeightArray, rms: float) -> WeightArray:
    """Return weights over their rms in float32, divided in float64 where float32 would not hold one of both."""
    narrow = weights.dtype != np.float64 and rms > SMALLEST_SCALE
    wide: WeightArray = weights.astype(np.float32 if narrow else np.float64, copy=False)
    found: WeightArray = np.divide(wide, rms).astype(np.float32, copy=False)
    return found


def effective_rank(squares: FloatArray) -> float:
    """Return exp(H) of the shares of the squared singular values."""
    shares = squares[squares > 0.0] / squares.sum()
    return float(np.exp(-np.sum(shares * np.log(shares))))


def gini(values: FloatArray) -> float:
    """Return the Gini coefficient of values that are not below 0: 0 where all are equal, 1 where one has all."""
    ordered = np.sort(values)
    n = ordered.size
    return float(2.0 * np.sum(np.arange(1, n + 1) * ordered) / (n * ordered.sum()) - (n + 1) / n)


def _variation(values: FloatArray) -> float:
    return float(values.std() / values.mean())


def _outliers(unit: WeightArray, s: FloatArray, *, mean: float, deviation: float) -> float | None:
    """Return how many singular values of the centred matrix lie above the edge; None without any spread.

    Taking the mean off moves no singular value by more than |mean| sqrt(m n), so the centred matrix is taken apart
    only where one of the plain values lies that near to the edge.
    """
    if deviation == 0.0:
        return None
    n_target, n_source = unit.shape
    edge = EDGE * (np.sqrt(n_target) + np.sqrt(n_source)) * deviation
    if np.any(np.abs(s - edge) <= abs(mean) * np.sqrt(unit.size)):
        s = singular_values(unit - np.float32(mean))
    return float(np.count_nonzero(s > edge))


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the entries of a matrix, in float64.

    Attributes
    ----------
    source_squares, source_strengths : (n_source,), sums of w^2 and of |w|
    target_squares : (n_target,), sums of w^2
    """

    rms: float
    mean: float
    deviation: float
    kurtosis: float | None
    largest: float
    source_squares: FloatArray
    source_strengths: FloatArray
    target_squares: FloatArray


def _sums(weights: WeightArray) -> _Sums:
    """Return the sums of a matrix, tile by tile, relative to its largest entry, so that no square leaves float64."""
    n_target, n_source = weights.shape
    largest = max(float(np.abs(tile).max()) for _, tile in tiles(weights))
    sources, strengths, targets, total = np.zeros(n_source), np.zeros(n_source), np.zeros(n_target), 0.0
    top = 0
    for columns, tile in tiles(weights):
        values = tile.astype(np.float64) / largest
        squares = np.square(values)
        sources[columns] += squares.sum(axis=0)
        strengths[columns] += np.abs(values).sum(axis=0)
        targets[top : top + len(tile)] += squares.sum(axis=1)
        total += float(values.sum())
        top = (top + len(tile)) % n_target
    mean = total / weights.size
    second, fourth = _moments(weights, mean, largest)
    return _Sums(
        rms=float(np.sqrt(sources.sum() / weights.size)) * largest,
        mean=mean * largest,
        deviation=float(np.sqrt(second)) * largest,
        kurtosis=fourth / second**2 - 3.0 if second > 0.0 else None,
        largest=largest,
        source_squares=sources,
        source_strengths=strengths,
        target_squares=targets,
    )


def _moments(weights: WeightArray, mean: float, largest: float) -> tuple[float, float]:
    """Return the second and the fourth central moment of the entries over the largest one."""
    second = fourth = 0.0
    for _, tile in tiles(weights):
        squares = np.square(tile.astype(np.float64) / largest - mean)
        second += float(squares.sum())
        fourth += float(np.vdot(squares, squares))
    return second / weights.size, fourth / weights.size
