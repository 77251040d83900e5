"""From samples to a checkpoint: means over seeds with intervals, coverage, flags, and E with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.errors import UndefinedEmergence
from neuromfa.mfa.diagnostics import has_coverage_shift, merge_flags
from neuromfa.mfa.emergence import NO_BASELINE, emergence
from neuromfa.mfa.measure import SampleMeasure
from neuromfa.mfa.paired_draws import Draw, PairedSample
from neuromfa.mfa.uncertainty import emergence_estimate, mean_curve, mean_estimate
from neuromfa.network import FloatArray
from neuromfa.results import EdgeCoverage, Estimate, NodeCount, NodeCoverage, NullMetrics, Spectrum


@dataclass(frozen=True)
class EmergenceSummary:
    """E of a checkpoint.

    Attributes
    ----------
    estimate : E of the means with its paired interval, None where `reason` says why
    reason : no_baseline, alpha0_not_positive, zero_baseline_width, or None
    tie : E with the forward and with the backward candidates for alpha0, None where either does not exist
    """

    estimate: Estimate | None
    reason: str | None = None
    tie: tuple[float, float] | None = None


def mean_spectrum(samples: Sequence[SampleMeasure]) -> Spectrum:
    """Return the mean curves over seeds with their intervals, pointwise."""
    tau, tau_low, tau_high = mean_curve([sample.tau for sample in samples])
    alpha, alpha_low, alpha_high = mean_curve([sample.alpha for sample in samples])
    f, _, _ = mean_curve([sample.f for sample in samples])
    return Spectrum(
        q=samples[0].q.tolist(),
        tau=tau.tolist(),
        tau_low=_list(tau_low),
        tau_high=_list(tau_high),
        alpha_q=samples[0].alpha_q.tolist(),
        alpha=alpha.tolist(),
        alpha_low=_list(alpha_low),
        alpha_high=_list(alpha_high),
        f=f.tolist(),
    )


def mean_alpha0(samples: Sequence[SampleMeasure]) -> Estimate:
    """Return the mean of alpha0 over seeds."""
    return mean_estimate([sample.alpha0 for sample in samples])


def mean_width(samples: Sequence[SampleMeasure]) -> Estimate:
    """Return the mean of the width over seeds."""
    return mean_estimate([sample.width for sample in samples])


def mean_r_squared(samples: Sequence[SampleMeasure]) -> dict[str, float | None]:
    """Return R2 by moment, means over seeds; None where any seed has none."""
    return {
        moment: _mean_or_none([sample.r_squared[moment] for sample in samples])
        for moment in samples[0].r_squared
    }


def emergence_of(
    samples: Sequence[SampleMeasure], *, baseline: Sequence[SampleMeasure] | None
) -> EmergenceSummary:
    """Return E of a checkpoint against the samples of its baseline, or the reason why there is none."""
    estimate, reason = _emergence(
        [sample.width for sample in samples], [sample.alpha0 for sample in samples], baseline
    )
    if estimate is None or baseline is None:
        return EmergenceSummary(None, reason)
    return EmergenceSummary(estimate, None, _emergence_tie(samples, baseline))


def null_metrics(
    samples: Sequence[PairedSample], *, baseline: Sequence[SampleMeasure] | None
) -> dict[str, NullMetrics]:
    """Return alpha0, width and E of the first draw of every null model, E against the **real** baseline.

    Parameters
    ----------
    samples : one a seed, in the order of the baseline's samples
    baseline : samples of the real baseline, or None
    """
    return {
        kind: _null_metrics([sample.nulls[kind][0] for sample in samples], baseline)
        for kind in samples[0].nulls
    }


def node_coverage(samples: Sequence[SampleMeasure]) -> NodeCoverage:
    """Return kept and total nodes, summed over samples."""
    rows = {
        row: _sum_counts([sample.kept_by_layer[row] for sample in samples])
        for row in samples[0].kept_by_layer
    }
    total = _sum_counts(list(rows.values()))
    return NodeCoverage(total.kept, total.total, rows)


def edge_coverage(samples: Sequence[SampleMeasure]) -> EdgeCoverage:
    """Return edges of kept nodes in range, and dropped edges by reason, summed over samples."""
    reasons = samples[0].dropped
    dropped = {reason: sum(sample.dropped[reason] for sample in samples) for reason in reasons}
    return EdgeCoverage(sum(sample.n_edges for sample in samples), dropped)


def checkpoint_flags(
    samples: Sequence[SampleMeasure], *, baseline: Sequence[SampleMeasure] | None
) -> list[str]:
    """Return the flags of a checkpoint: those any sample raises, and coverage_shift against the baseline."""
    shifted = baseline is not None and has_coverage_shift(_nodes(samples), baseline=_nodes(baseline))
    return merge_flags([sample.flags for sample in samples], coverage_shift=shifted)


def _emergence_tie(
    samples: Sequence[SampleMeasure], baseline: Sequence[SampleMeasure]
) -> tuple[float, float] | None:
    width_t = float(np.mean([sample.width for sample in samples]))
    width_0 = float(np.mean([sample.width for sample in baseline]))
    tie_t = np.mean([sample.alpha0_tie for sample in samples], axis=0).tolist()
    tie_0 = np.mean([sample.alpha0_tie for sample in baseline], axis=0).tolist()
    try:
        forward, backward = (
            emergence(width_t=width_t, width_0=width_0, alpha0_t=now, alpha0_0=then)
            for now, then in zip(tie_t, tie_0, strict=True)
        )
    except UndefinedEmergence:
        return None
    return forward, backward


def _null_metrics(draws: Sequence[Draw], baseline: Sequence[SampleMeasure] | None) -> NullMetrics:
    figures = [draw.figures for draw in draws if draw.figures is not None]
    if len(figures) < len(draws):
        absent = Estimate(None, None, None, len(figures))
        return NullMetrics(absent, absent, None, next(draw.reason for draw in draws if draw.figures is None))
    alpha0s, widths = [one.alpha0 for one in figures], [one.width for one in figures]
    estimate, reason = _emergence(widths, alpha0s, baseline)
    return NullMetrics(mean_estimate(alpha0s), mean_estimate(widths), estimate, reason)


def _emergence(
    widths: Sequence[float], alpha0s: Sequence[float], baseline: Sequence[SampleMeasure] | None
) -> tuple[Estimate | None, str | None]:
    """Return E against the real baseline, or None and the reason."""
    if baseline is None:
        return None, NO_BASELINE
    try:
        estimate = emergence_estimate(
            widths_t=widths,
            widths_0=[sample.width for sample in baseline],
            alpha0s_t=alpha0s,
            alpha0s_0=[sample.alpha0 for sample in baseline],
        )
    except UndefinedEmergence as undefined:
        return None, undefined.reason
    return estimate, None


def _nodes(samples: Sequence[SampleMeasure]) -> NodeCount:
    return NodeCount(
        sum(sample.nodes_kept for sample in samples), sum(sample.nodes_total for sample in samples)
    )


def _sum_counts(counts: Sequence[NodeCount]) -> NodeCount:
    return NodeCount(sum(count.kept for count in counts), sum(count.total for count in counts))


def _mean_or_none(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if len(present) == len(values) else None


def _list(curve: FloatArray | None) -> list[float] | None:
    return None if curve is None else curve.tolist()
