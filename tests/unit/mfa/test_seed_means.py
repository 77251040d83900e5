"""From samples to a checkpoint: means, coverage, E with its reason, nulls against the real baseline."""

from dataclasses import replace

import numpy as np
import pytest

from neuromfa import mfa
from neuromfa.mfa.figures import Figures
from neuromfa.mfa.uncertainty import mean_estimate
from neuromfa.options import AnalysisOptions
from neuromfa.results import EdgeCoverage, Estimate, NodeCount, NodeCoverage, NullMetrics

from .networks import transformer

PAPER = AnalysisOptions(profile="paper")


def samples(std: float, *, options: AnalysisOptions = PAPER, n: int = 4) -> list[mfa.SampleMeasure]:
    return [
        mfa.measure(transformer(blocks=2, nodes=16, std_in=std, std_out=0.04, seed=seed), options)
        for seed in range(n)
    ]


@pytest.fixture(scope="module")
def then() -> list[mfa.SampleMeasure]:
    return samples(0.03)


@pytest.fixture(scope="module")
def now() -> list[mfa.SampleMeasure]:
    return samples(0.06)


def test_curves_and_figures_are_means_over_seeds(now: list[mfa.SampleMeasure]) -> None:
    found = mfa.mean_spectrum(now)
    assert (len(found.q), len(found.tau), len(found.alpha_q), len(found.alpha), len(found.f)) == (
        61,
        61,
        60,
        60,
        60,
    )
    for name in ("tau", "alpha", "f"):
        expected = np.mean([getattr(sample, name) for sample in now], axis=0)
        np.testing.assert_allclose(getattr(found, name), expected, rtol=0, atol=1e-12)
    single = mean_estimate([sample.tau[5] for sample in now])
    assert (found.tau_low[5], found.tau_high[5]) == pytest.approx((single.low, single.high), abs=1e-12)
    single = mean_estimate([sample.alpha[5] for sample in now])
    assert (found.alpha_low[5], found.alpha_high[5]) == pytest.approx((single.low, single.high), abs=1e-12)
    assert mfa.mean_alpha0(now) == mean_estimate([sample.alpha0 for sample in now])
    assert mfa.mean_width(now) == mean_estimate([sample.width for sample in now])


def test_a_single_sample_has_no_bands(now: list[mfa.SampleMeasure]) -> None:
    found = mfa.mean_spectrum(now[:1])
    assert (found.tau_low, found.tau_high, found.alpha_low, found.alpha_high) == (None, None, None, None)
    assert found.tau == now[0].tau.tolist()
    assert mfa.mean_spectrum(samples(0.05, options=AnalysisOptions(), n=1)).alpha_q == found.q


def test_r_squared_is_a_mean_or_nothing(now: list[mfa.SampleMeasure]) -> None:
    found = mfa.mean_r_squared(now)
    assert found["-3"] == pytest.approx(np.mean([sample.r_squared["-3"] for sample in now]))
    flat = replace(now[0], r_squared={**now[0].r_squared, "1": None})
    assert mfa.mean_r_squared([now[0], flat])["1"] is None
    assert mfa.mean_r_squared([now[0], flat])["3"] is not None
    assert mfa.mean_r_squared([flat]) == {**now[0].r_squared, "1": None}


def test_coverage_is_summed_over_samples(now: list[mfa.SampleMeasure]) -> None:
    rows = {"input": NodeCount(3, 4), "mlp": NodeCount(1, 8)}
    dropped = {"zero": 1, "nan": 0, "inf": 0, "within_one": 2, "beyond_range": 3}
    one = replace(now[0], kept_by_layer=rows, dropped=dropped, n_edges=100)
    assert mfa.node_coverage([one, one]) == NodeCoverage(
        8, 24, {"input": NodeCount(6, 8), "mlp": NodeCount(2, 16)}
    )
    assert mfa.edge_coverage([one, one, one]) == EdgeCoverage(
        300, {reason: 3 * k for reason, k in dropped.items()}
    )
    assert mfa.node_coverage([one]) == NodeCoverage(4, 12, rows)
    assert mfa.edge_coverage([one]) == EdgeCoverage(100, dropped)
    whole = mfa.node_coverage(now)
    assert (whole.kept, whole.total) == (sum(s.nodes_kept for s in now), sum(s.nodes_total for s in now))


def test_emergence_of_a_checkpoint(now: list[mfa.SampleMeasure], then: list[mfa.SampleMeasure]) -> None:
    found = mfa.emergence_of(now, baseline=then)
    width_t, width_0 = np.mean([s.width for s in now]), np.mean([s.width for s in then])
    alpha0_t, alpha0_0 = np.mean([s.alpha0 for s in now]), np.mean([s.alpha0 for s in then])
    assert found.reason is None and found.estimate is not None
    assert found.estimate.value == pytest.approx(width_t / width_0 * np.log(alpha0_0 / alpha0_t), abs=1e-12)
    assert found.estimate.low < found.estimate.value < found.estimate.high
    for k in (0, 1):
        tie_t, tie_0 = (np.mean([s.alpha0_tie[k] for s in series]) for series in (now, then))
        assert found.tie[k] == pytest.approx(width_t / width_0 * np.log(tie_0 / tie_t), abs=1e-12)


def test_emergence_at_the_baseline_is_0(then: list[mfa.SampleMeasure]) -> None:
    found = mfa.emergence_of(then, baseline=then)
    assert found.estimate == Estimate(0.0, 0.0, 0.0, 4) and found.tie == (0.0, 0.0)


def test_emergence_that_does_not_exist_has_a_reason(now: list[mfa.SampleMeasure]) -> None:
    assert mfa.emergence_of(now, baseline=None) == mfa.EmergenceSummary(None, "no_baseline", None)
    flat = [replace(sample, width=0.0) for sample in now]
    assert mfa.emergence_of(now, baseline=flat) == mfa.EmergenceSummary(None, "zero_baseline_width", None)
    negative = [replace(sample, alpha0=-0.1) for sample in now]
    assert mfa.emergence_of(negative, baseline=now).reason == "alpha0_not_positive"


def test_a_tie_that_does_not_exist_leaves_the_rest(now: list[mfa.SampleMeasure]) -> None:
    odd = [replace(sample, alpha0_tie=(-0.1, 1.0)) for sample in now]
    found = mfa.emergence_of(odd, baseline=now)
    assert found.tie is None and found.estimate is not None


def drawn(alpha0: float, width: float) -> mfa.Draw:
    return mfa.Draw(Figures(alpha0, width, {}, {}, (), (), np.empty(0)))


def paired(**nulls: mfa.Draw) -> mfa.PairedSample:
    return mfa.PairedSample(
        0, drawn(1.0, 1.0), {kind: (first, drawn(9.0, 9.0)) for kind, first in nulls.items()}
    )


def test_nulls_against_the_real_baseline(then: list[mfa.SampleMeasure]) -> None:
    nulls = [paired(shuffled=drawn(1.0 + k / 10, 0.5), gaussian=drawn(1.2, 0.4)) for k in range(4)]
    found = mfa.null_metrics(nulls, baseline=then)
    assert found["shuffled"].alpha0 == mean_estimate([1.0, 1.1, 1.2, 1.3])
    assert found["shuffled"].width == Estimate(0.5, 0.5, 0.5, 4)
    width_0, alpha0_0 = np.mean([s.width for s in then]), np.mean([s.alpha0 for s in then])
    expected = 0.5 / width_0 * np.log(alpha0_0 / 1.15)
    assert found["shuffled"].emergence.value == pytest.approx(expected, abs=1e-12)
    assert list(found) == ["shuffled", "gaussian"]
    alone = mfa.null_metrics(nulls[:1], baseline=then[:1])
    assert alone["gaussian"].width == Estimate(0.4, None, None, 1)


def test_nulls_without_a_baseline_or_numbers(then: list[mfa.SampleMeasure]) -> None:
    nulls = [paired(shuffled=drawn(1.0, 0.5))] * 4
    alone = mfa.null_metrics(nulls, baseline=None)["shuffled"]
    assert (alone.emergence, alone.reason, alone.width.value) == (None, "no_baseline", 0.5)
    flat = [replace(sample, width=0.0) for sample in then]
    undefined = mfa.null_metrics(nulls, baseline=flat)["shuffled"]
    assert (undefined.emergence, undefined.reason) == (None, "zero_baseline_width")
    broken = [*nulls[:3], paired(shuffled=mfa.Draw(None, "why"))]
    absent = Estimate(None, None, None, 3)
    assert mfa.null_metrics(broken, baseline=then)["shuffled"] == NullMetrics(absent, absent, None, "why")


def test_flags_of_a_checkpoint(now: list[mfa.SampleMeasure]) -> None:
    quiet = [replace(sample, flags=(), nodes_kept=50, nodes_total=100) for sample in now]
    fuller = [replace(sample, nodes_kept=70) for sample in quiet]
    assert mfa.checkpoint_flags(quiet, baseline=None) == []
    assert mfa.checkpoint_flags(quiet, baseline=quiet) == []
    assert mfa.checkpoint_flags(fuller, baseline=quiet) == ["coverage_shift"]
    loud = [*quiet[:3], replace(quiet[3], flags=("poor_fit",))]
    assert mfa.checkpoint_flags(loud, baseline=fuller) == ["poor_fit", "coverage_shift"]
