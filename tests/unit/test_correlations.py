"""Correlations with benchmarks: coefficients by hand and by scipy, intervals that cover, reasons for no number."""

import numpy as np
import pytest
from scipy import stats

from neuromfa.correlations import Coefficient, Correlation, correlate
from neuromfa.results import CheckpointResult, Estimate, NullMetrics
from neuromfa.scores import Score
from tests.unit.making_results import checkpoint

STEPS = [0, 8, 16, 32, 64]


def with_values(step: int, alpha0: float, emergence: float | None) -> CheckpointResult:
    found = None if emergence is None else Estimate(emergence, None, None, 2)
    null = NullMetrics(Estimate(-alpha0, None, None, 2), Estimate(0.4, None, None, 2), None, "why not")
    made = checkpoint(step, alpha0=alpha0)
    return CheckpointResult(**{**vars(made), "emergence": found, "nulls": {"shuffled": null}})


def series(alpha0: list[float]) -> list[CheckpointResult]:
    return [with_values(step, value, None) for step, value in zip(STEPS, alpha0, strict=True)]


def scores(values: list[float], steps: list[int] = STEPS) -> list[Score]:
    return [Score(step, "piqa", "acc", value) for step, value in zip(steps, values, strict=True)]


def one(found: list[Correlation], measure: str, model: str = "real") -> Correlation:
    [chosen] = [each for each in found if (each.measure, each.model) == (measure, model)]
    return chosen


def test_a_straight_line_has_coefficient_one() -> None:
    found = one(correlate(series([1.0, 1.1, 1.2, 1.3, 1.4]), scores([1.0, 2.0, 3.0, 4.0, 5.0])), "alpha0")
    assert found.n == 5
    assert found.pearson is not None
    assert found.spearman is not None
    assert (found.pearson.value, found.pearson.low, found.pearson.high) == pytest.approx((1.0, 1.0, 1.0))
    assert found.spearman.value == pytest.approx(1.0)


def test_coefficients_and_p_are_scipys_and_the_null_has_its_own() -> None:
    x, y = [1.0, 1.4, 1.1, 1.9, 1.2], [0.2, 0.9, 0.3, 0.4, 0.8]
    found = correlate(series(x), scores(y))
    pearson, spearman = stats.pearsonr(x, y), stats.spearmanr(x, y)
    real, null = one(found, "alpha0"), one(found, "alpha0", "shuffled")
    assert real.pearson is not None
    assert real.spearman is not None
    assert null.pearson is not None
    assert (real.pearson.value, real.pearson.p) == pytest.approx((pearson.statistic, pearson.pvalue))
    assert (real.spearman.value, real.spearman.p) == pytest.approx((spearman.statistic, spearman.pvalue))
    assert null.pearson.value == pytest.approx(-pearson.statistic)
    assert found == correlate(series(x), scores(y))


def test_ranks_of_a_bent_curve_agree_where_values_do_not() -> None:
    x = [1.0, 1.1, 1.2, 1.3, 1.4]
    found = one(correlate(series(x), scores([float(np.exp(20 * value)) for value in x])), "alpha0")
    assert found.spearman is not None
    assert found.pearson is not None
    assert found.spearman.value == pytest.approx(1.0)
    assert found.pearson.value < 0.9


def test_what_has_no_coefficient_says_why() -> None:
    results = series([1.0, 1.1, 1.2, 1.3, 1.4])
    assert one(correlate(results, scores([1.0, 2.0], [0, 8])), "alpha0").reason == "few_steps"
    flat = correlate(results, scores([2.0] * 5))
    assert one(flat, "alpha0").reason == "constant"
    assert one(flat, "width").reason == "constant"
    missing = one(correlate(results, scores([1.0, 2.0, 3.0, 4.0, 5.0])), "emergence")
    assert (missing.n, missing.reason, missing.pearson, missing.spearman) == (0, "few_steps", None, None)


def test_below_five_steps_there_is_a_coefficient_and_no_interval() -> None:
    found = one(correlate(series([1.0, 1.3, 1.2, 1.5, 1.4]), scores([1.0, 4.0, 3.0], [0, 8, 16])), "alpha0")
    assert found.n == 3
    assert found.pearson == Coefficient(pytest.approx(1.0), None, None, pytest.approx(0.0, abs=1e-6))


def test_steps_are_matched_and_checkpoints_without_a_step_take_no_part() -> None:
    results = [*series([1.0, 1.1, 1.2, 1.3, 1.4]), checkpoint(None)]
    given = scores([5.0, 1.0, 2.0, 3.0], [128, 8, 32, 64])
    assert one(correlate(results, [*given, Score(None, "piqa", "acc", 7.0)]), "alpha0").n == 3
    assert correlate(results, []) == []


def test_intervals_hold_the_true_coefficient_about_as_often_as_they_say() -> None:
    """Percentile intervals of 40 pairs drawn with correlation .6: 90 to 99 of 100, since they are a little narrow."""
    rng = np.random.default_rng(3)
    steps = list(range(40))
    held = 0
    for _ in range(100):
        x = rng.normal(size=40)
        y = 0.6 * x + 0.8 * rng.normal(size=40)
        results = [with_values(step, float(value), None) for step, value in zip(steps, x, strict=True)]
        found = one(correlate(results, scores(y.tolist(), steps)), "alpha0").pearson
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.6 <= found.high
    assert 88 <= held <= 99
