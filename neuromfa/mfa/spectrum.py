"""Algorithm 4, Eq. 9: the multifractal spectrum f(alpha), alpha = d tau / d q and f = q alpha - tau."""

from dataclasses import dataclass

import numpy as np

from neuromfa.mfa.exponent import mass_exponent, slopes
from neuromfa.mfa.partition import Partition
from neuromfa.network import FloatArray, IntArray
from neuromfa.options import Profile


@dataclass(frozen=True, eq=False)
class MultifractalSpectrum:
    """What Algorithms 3 and 4 give.

    Attributes
    ----------
    q, tau : float64 arrays of shape (n_q,), moments and mass exponents
    alpha_q, alpha, f : float64 arrays of shape (n_q,) in profile exact, (n_q - 1,) in profile paper
    alpha0 : tau'(0), in both profiles the closed form (ours); the released code takes alpha at the largest f,
        where rounding picks one of `alpha0_tie`
    alpha0_tie : slopes of tau from q = 0 to the next q, and from the last q to 0
    width : alpha(q_min) - alpha(q_max) in profile exact (ours), max alpha - min alpha in profile paper
    """

    q: FloatArray
    tau: FloatArray
    alpha_q: FloatArray
    alpha: FloatArray
    f: FloatArray
    alpha0: float
    alpha0_tie: tuple[float, float]
    width: float


def multifractal_spectrum(
    partition: Partition, *, q: FloatArray, radii: IntArray | FloatArray, profile: Profile
) -> MultifractalSpectrum:
    """Return the spectrum of a partition function over its radii; 0 stands inside `q`."""
    tau = mass_exponent(partition.log_z, radii=radii)
    closed_form = slopes(partition.mean_log_mu, radii=radii)
    at_zero = int(np.flatnonzero(q == 0.0)[0])
    alpha_q, alpha = (q[:-1], forward_differences(tau, q=q)) if profile == "paper" else (q, closed_form)
    return MultifractalSpectrum(
        q=q,
        tau=tau,
        alpha_q=alpha_q,
        alpha=alpha,
        f=legendre(tau[: alpha_q.size], q=alpha_q, alpha=alpha),
        alpha0=float(closed_form[at_zero]),
        alpha0_tie=_tie(tau, q, at_zero),
        width=float(alpha.max() - alpha.min() if profile == "paper" else alpha[0] - alpha[-1]),
    )


def forward_differences(tau: FloatArray, *, q: FloatArray) -> FloatArray:
    """Return alpha_j = (tau_j+1 - tau_j) / (q_j+1 - q_j), shape (n_q - 1,) (paper)."""
    return np.diff(tau) / np.diff(q)


def legendre(tau: FloatArray, *, q: FloatArray, alpha: FloatArray) -> FloatArray:
    """Return f = q alpha - tau (paper, Eq. 9)."""
    return q * alpha - tau


def _tie(tau: FloatArray, q: FloatArray, at_zero: int) -> tuple[float, float]:
    """Return the forward and the backward difference at q = 0: f is 0 at both, so the largest f cannot tell."""
    around = slice(at_zero - 1, at_zero + 2)
    backward, forward = forward_differences(tau[around], q=q[around]).tolist()
    return forward, backward
