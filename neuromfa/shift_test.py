"""Do two curves over the same steps move together, beyond that both have a trend? A test by circular shifts (ours).

First differences are taken, and out of both a smooth trend in log(step + 1). What is left of one is shifted along the
other in a circle: p is the share of shifts at which they correlate at least as strongly as they do unshifted.
"""

import numpy as np

from neuromfa.network import FloatArray

DEGREE = 8
LARGEST_GAP = 0.08
FEWEST = 25
FEWEST_FREE = 12
NOTHING_LEFT = 1e-9

FEW_STEPS, UNEVEN_STEPS, ONLY_TREND = "few_steps", "uneven_steps", "only_trend"


def shift_test(steps: FloatArray, x: FloatArray, y: FloatArray) -> tuple[float | None, str | None]:
    """Return the two-sided p of two curves, or None and why there is none.

    Parameters
    ----------
    steps : shape (n,), ascending training steps
    x, y : shape (n,), the curves at these steps

    Returns
    -------
    p : at least 1 / (n - 1), the share of the shift by nothing
    reason : ``few_steps`` below 25, ``uneven_steps`` where the trend takes up too much of what there is,
        ``only_trend`` where it takes up a curve whole
    """
    if steps.size < FEWEST:
        return None, FEW_STEPS
    trend = trend_of(steps)
    if len(trend) - trend.shape[1] < FEWEST_FREE:
        return None, UNEVEN_STEPS
    changes = [np.diff(curve) for curve in (x, y)]
    left = [change - trend @ (trend.T @ change) for change in changes]
    if any(
        np.linalg.norm(rest) <= NOTHING_LEFT * np.linalg.norm(change)
        for rest, change in zip(left, changes, strict=True)
    ):
        return None, ONLY_TREND
    found = shifted_correlations(left[0], left[1], trend)
    return float(np.mean(found >= found[0] * (1 - 1e-9))), None


def trend_of(steps: FloatArray) -> FloatArray:
    """Return an orthonormal basis, shape (n - 1, k), of the first differences of smooth curves over n steps.

    Polynomials of degree 8 in log(step + 1), a drift in the number of the checkpoint, and a change of its own for each
    gap above 8 % of the range: what a curve does inside such a gap, no other step tells.
    """
    log_step = np.log(steps + 1.0)
    share = np.diff(log_step) / np.ptp(log_step)
    position = 2.0 * (log_step - log_step[0]) / np.ptp(log_step) - 1.0
    smooth = np.diff(np.polynomial.legendre.legvander(position, DEGREE)[:, 1:], axis=0)
    gaps = np.eye(share.size)[:, share > LARGEST_GAP]
    columns = np.concatenate([np.ones((share.size, 1)), smooth, gaps], axis=1)
    basis, weights, _ = np.linalg.svd(columns / np.linalg.norm(columns, axis=0), full_matrices=False)
    return np.asarray(basis[:, weights > 1e-8 * weights[0]])


def shifted_correlations(a: FloatArray, b: FloatArray, trend: FloatArray) -> FloatArray:
    """Return |correlation| of `a` with `b` shifted by 0 ... m - 1 places, each time freed from the trend again.

    A shifted curve holds some trend again. Freed from it, a shift is as free as the curves as they stand; without
    that the test would answer too often.
    """
    products = np.abs(_sums_over_shifts(a, b))
    norms = _norms(b, trend) * np.roll(_norms(a, trend)[::-1], 1)  # b forward is a backward
    return np.asarray(products / np.maximum(norms, np.finfo(float).tiny))


def _norms(curve: FloatArray, trend: FloatArray) -> FloatArray:
    """Return the norm of a curve shifted by 0 ... m - 1 places and freed from the trend."""
    held = sum(_sums_over_shifts(column, curve) ** 2 for column in trend.T)
    return np.asarray(np.sqrt(np.maximum(curve @ curve - held, 0.0)))


def _sums_over_shifts(fixed: FloatArray, moved: FloatArray) -> FloatArray:
    """Return sum_i fixed[i] moved[i - k] for k = 0 ... m - 1, indices in a circle."""
    product = np.fft.rfft(fixed) * np.conj(np.fft.rfft(moved))
    return np.asarray(np.fft.irfft(product, n=fixed.size))
