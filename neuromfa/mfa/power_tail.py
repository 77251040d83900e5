"""Tail exponents: a power law fitted to the largest of many values (Clauset, Shalizi and Newman 2009)."""

from dataclasses import dataclass

import numpy as np

from neuromfa.network import FloatArray, IntArray

ROWS_AT_ONCE = 256
"""Candidates whose distances stand in memory together."""


@dataclass(frozen=True)
class PowerTail:
    """A power law p(x) ~ x^-exponent from the smallest value of a tail on.

    Attributes
    ----------
    exponent : of the density
    n : values in the tail
    ks : largest distance between the empirical and the fitted distribution
    """

    exponent: float
    n: int
    ks: float


def power_tail(values: FloatArray) -> PowerTail | None:
    """Return the power law of the tail that it fits best, None where there are fewer than two different values.

    Every value but the largest is tried as the beginning of the tail; the exponent is the maximum likelihood one,
    1 + n / sum ln(x / x_min), and the tail with the smallest Kolmogorov-Smirnov distance is taken.

    Parameters
    ----------
    values : shape (n,); those not above 0 are left out
    """
    logs = np.log(np.sort(values[values > 0.0]))
    n = logs.size
    sizes = np.arange(n, 0, -1)
    excess = np.cumsum(logs[::-1])[::-1] - sizes * logs
    # the first of equal values begins the tail
    begins = np.flatnonzero((excess > 0.0) & (np.diff(logs, prepend=-np.inf) > 0.0))
    if not begins.size:
        return None
    rates = sizes[begins] / excess[begins]
    blocks = range(0, begins.size, ROWS_AT_ONCE)
    distances = np.concatenate(
        [_distances(logs, begins[k : k + ROWS_AT_ONCE], rates[k : k + ROWS_AT_ONCE]) for k in blocks]
    )
    best = int(np.argmin(distances))
    return PowerTail(1.0 + float(rates[best]), int(sizes[begins[best]]), float(distances[best]))


def _distances(logs: FloatArray, begins: IntArray, rates: FloatArray) -> FloatArray:
    """Return the distance of each tail, its values in order, from a power law of its rate: shape (n_begins,)."""
    first = int(begins[0])
    ahead = logs[first:] - logs[begins][:, np.newaxis]
    fitted = -np.expm1(-rates[:, np.newaxis] * np.maximum(ahead, 0.0))
    rank = np.arange(first, logs.size) - begins[:, np.newaxis]
    size = (logs.size - begins)[:, np.newaxis]
    apart = np.maximum(fitted - rank / size, (rank + 1) / size - fitted)
    found: FloatArray = np.where(rank >= 0, apart, 0.0).max(axis=1)
    return found
