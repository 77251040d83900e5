"""The sandbox method (Tel 1989) and box counting: the standard exponent tau_std, beside NeuroMFA's own tau.

tau_std scales as a measure does, <(N_i(r)/N)^(q-1)> ~ r^tau_std(q); where all N_i(L) are equal,
NeuroMFA's exponent is the same curve shifted by one: tau(q) = tau_std(q + 1).
"""

import numpy as np

from neuromfa.errors import AnalysisError, TooFewRadii
from neuromfa.mfa.exponent import slopes
from neuromfa.mfa.partition import MassArray
from neuromfa.network import FloatArray, IntArray


def sandbox_exponent(
    masses: MassArray, *, radii: IntArray | FloatArray, n_total: int, q: FloatArray
) -> FloatArray:
    """Return tau_std(q) = slope of ln <(N_i(r) / N)^(q-1)> on ln r, the mean over centres i (Tel 1989).

    Parameters
    ----------
    masses : array of shape (n_centres, m), N_i(r), positive
    radii : array of shape (m,), ascending, at least two
    n_total : N, number of nodes of the graph
    q : float64 array of shape (n_q,)

    Returns
    -------
    tau_std : float64 array of shape (n_q,); 0 at q = 1

    Raises
    ------
    AnalysisError : a mass of 0 or less, whose powers do not exist
    TooFewRadii : fewer than two radii
    """
    _require_slope(len(radii))
    if not np.all(masses > 0):
        raise AnalysisError(
            "a mass is 0 or less and its powers do not exist: count the centre itself, or start further out"
        )
    log_share = np.log(masses / n_total)
    powers = np.multiply.outer(np.asarray(q) - 1.0, log_share)
    return slopes(_log_sums(powers) - np.log(len(masses)), radii=radii)


def box_counted_exponent(measure: FloatArray, *, base: int, q: FloatArray) -> FloatArray:
    """Return tau_std(q) = slope of ln sum p^q on ln r over the boxes of r = base^-k, k = 0 ... K.

    Empty boxes are left out.

    Parameters
    ----------
    measure : float64 array of shape (base^K,), not negative; it is normalised to a sum of 1
    base : boxes of one level in each box of the level above
    q : float64 array of shape (n_q,)

    Raises
    ------
    AnalysisError : a length that is no power of `base`, a negative cell, or no mass at all
    TooFewRadii : a single cell
    """
    n_levels = round(np.log(measure.size) / np.log(base)) + 1
    if base ** (n_levels - 1) != measure.size:
        raise AnalysisError(
            f"{measure.size} cells do not divide into boxes of {base} at every level: give a power of {base}"
        )
    if measure.min() < 0.0 or not measure.sum() > 0.0:
        raise AnalysisError("a measure has no negative cell and some mass: this one does not")
    _require_slope(n_levels)
    levels = [
        _log_moments(measure.reshape(base**k, -1).sum(axis=1) / measure.sum(), q) for k in range(n_levels)
    ]
    radii = float(base) ** np.arange(1 - n_levels, 1)
    return slopes(np.stack(levels[::-1], axis=1), radii=radii)


def _log_moments(shares: FloatArray, q: FloatArray) -> FloatArray:
    """Return ln sum p^q over boxes that hold anything, shape (n_q,)."""
    log_p = np.log(shares[shares > 0.0])
    return _log_sums(np.multiply.outer(np.asarray(q), log_p))


def _log_sums(powers: FloatArray) -> FloatArray:
    """Return ln of the sums of exponentials, over the second axis."""
    from scipy.special import logsumexp  # takes time to load, for those who ask for tau_std

    sums: FloatArray = logsumexp(powers, axis=1)
    return sums


def _require_slope(n_radii: int) -> None:
    if n_radii < 2:
        raise TooFewRadii(f"a slope needs two radii or levels, not {n_radii}: give more")
