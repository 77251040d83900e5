"""Results in closed form, for tests of what is made of results."""

import numpy as np

from neuromfa.results import (
    CheckpointResult,
    Coverage,
    EdgeCoverage,
    Estimate,
    NodeCoverage,
    NullMetrics,
    Spectrum,
    TensorCoverage,
)

Q = [k / 10 for k in range(-30, 31)]


def estimate(value: float) -> Estimate:
    return Estimate(value, value - 0.01, value + 0.01, 10)


def checkpoint(
    step: int | None, *, alpha0: float = 1.5, forward: bool = False, nulls: bool = True
) -> CheckpointResult:
    """A spectrum in closed form: tau = alpha0 q - q^2 / 20, so alpha = alpha0 - q / 10 and f = -q^2 / 20."""
    q = np.array(Q)
    tau, alpha, f = alpha0 * q - q**2 / 20, alpha0 - q / 10, -(q**2) / 20
    kept = slice(0, -1) if forward else slice(None)
    spectrum = Spectrum(
        q=Q,
        tau=tau.tolist(),
        tau_low=None if forward else (tau - 0.1).tolist(),
        tau_high=None if forward else (tau + 0.1).tolist(),
        alpha_q=q[kept].tolist(),
        alpha=alpha[kept].tolist(),
        alpha_low=None,
        alpha_high=None,
        f=f[kept].tolist(),
    )
    null = NullMetrics(estimate(alpha0), estimate(0.4), estimate(0.1))
    return CheckpointResult(
        step=step,
        revision="main" if step is None else f"step{step}",
        alpha0=estimate(alpha0),
        width=estimate(0.6),
        emergence=None if step is None else estimate(0.2),
        emergence_reason="no_baseline" if step is None else None,
        emergence_tie=None,
        nulls={"shuffled": null, "gaussian": null, "rescaled": null} if nulls else None,
        coverage=Coverage(NodeCoverage(1, 1, {}), EdgeCoverage(1, {}), TensorCoverage([], [])),
        flags=[],
        r_squared={},
        spectrum=spectrum,
        samples=[],
        analysis_hash=f"{step}",
    )
