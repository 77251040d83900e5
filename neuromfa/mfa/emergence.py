"""The degree of emergence E(t): how much wider and how much lower the spectrum is than at the baseline."""

import math

from neuromfa.errors import UndefinedEmergence

ALPHA0_NOT_POSITIVE = "alpha0_not_positive"
ZERO_BASELINE_WIDTH = "zero_baseline_width"
NO_BASELINE = "no_baseline"

# Widths of identical nodes are rounding noise of this size at most.
NO_WIDTH = 1e-9


def emergence_reason(*, width_0: float, alpha0_t: float, alpha0_0: float) -> str | None:
    """Return why E does not exist for these numbers, or None where it does."""
    if not (alpha0_t > 0 and alpha0_0 > 0):
        return ALPHA0_NOT_POSITIVE
    return ZERO_BASELINE_WIDTH if abs(width_0) <= NO_WIDTH else None


def emergence(*, width_t: float, width_0: float, alpha0_t: float, alpha0_0: float) -> float:
    """Return E(t) = width(t) / width(0) * ln(alpha0(0) / alpha0(t)) (paper), from means over samples.

    E is 0 at the baseline and negative where alpha0 rises.

    Raises
    ------
    UndefinedEmergence : an alpha0 is not positive, or the baseline has no width; `reason` says which
    """
    reason = emergence_reason(width_0=width_0, alpha0_t=alpha0_t, alpha0_0=alpha0_0)
    if reason:
        raise UndefinedEmergence(
            f"emergence does not exist here ({reason}): alpha0 {alpha0_t:g} against {alpha0_0:g} with a "
            f"baseline width of {width_0:g}; choose another baseline",
            reason=reason,
        )
    return width_t / width_0 * math.log(alpha0_0 / alpha0_t)
