"""Correlations with benchmarks: coefficients by hand and by scipy, reasons for no number, p that is held, q."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from evidence import correlations as evidence
from neuromfa.correlations import EXCESS, Correlation, correlate, correlate_curves
from neuromfa.results import CheckpointResult, Estimate, NullMetrics
from neuromfa.scores import Score
from neuromfa.shift_test import FEWEST, shift_test, shifted_correlations, trend_of
from neuromfa.structure import Excess, NullExcess
from tests.unit.making_results import checkpoint

STEPS = [0, 8, 16, 32, 64]
X, Y = [1.0, 1.4, 1.1, 1.9, 1.2], [0.2, 0.9, 0.3, 0.4, 0.8]


def with_values(step: int, alpha0: float, emergence: float | None = None) -> CheckpointResult:
    found = None if emergence is None else Estimate(emergence, None, None, 2)
    null = NullMetrics(Estimate(-alpha0, None, None, 2), Estimate(0.4, None, None, 2), None, "why not")
    made = replace(checkpoint(step, alpha0=alpha0), rms=None)
    return replace(made, emergence=found, nulls={"shuffled": null}, excess=None)


def series(alpha0: list[float]) -> list[CheckpointResult]:
    return [with_values(step, value) for step, value in zip(STEPS, alpha0, strict=True)]


def scores(values: list[float], steps: list[int] = STEPS) -> list[Score]:
    return [Score(step, "piqa", "acc", value) for step, value in zip(steps, values, strict=True)]


def one(found: list[Correlation], measure: str, model: str = "real") -> Correlation:
    [chosen] = [each for each in found if (each.measure, each.model) == (measure, model)]
    return chosen


def partial(x: list[float], y: list[float], z: object) -> float:
    """Return the partial correlation by the textbook's formula, from three plain ones."""
    xy, xz, yz = (stats.pearsonr(a, b).statistic for a, b in ((x, y), (x, z), (y, z)))
    return float((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))


def test_a_straight_line_has_coefficient_one() -> None:
    found = one(correlate(series([1.0, 1.1, 1.2, 1.3, 1.4]), scores([1.0, 2.0, 3.0, 4.0, 5.0])), "alpha0")
    assert (found.n, found.pearson, found.spearman) == (5, pytest.approx(1.0), pytest.approx(1.0))
    assert (found.differences, found.differences_reason) == (None, "constant")


def test_coefficients_are_scipys_and_the_null_has_its_own() -> None:
    found = correlate(series(X), scores(Y))
    real, null = one(found, "alpha0"), one(found, "alpha0", "shuffled")
    pearson = stats.pearsonr(X, Y).statistic
    assert real.pearson == pytest.approx(pearson)
    assert real.spearman == pytest.approx(stats.spearmanr(X, Y).statistic)
    assert real.differences == pytest.approx(stats.pearsonr(np.diff(X), np.diff(Y)).statistic)
    assert real.partial_step == pytest.approx(partial(X, Y, np.log(np.array(STEPS) + 1.0)))
    assert null.pearson == pytest.approx(-pearson)
    assert found == correlate(series(X), scores(Y))


def test_ranks_of_a_bent_curve_agree_where_values_do_not() -> None:
    x = [1.0, 1.1, 1.2, 1.3, 1.4]
    found = one(correlate(series(x), scores([float(np.exp(20 * value)) for value in x])), "alpha0")
    assert found.spearman == pytest.approx(1.0)
    assert found.pearson is not None and found.pearson < 0.9


def test_the_rms_of_the_weights_is_held_fixed_where_every_result_has_it() -> None:
    rms = [0.02, 0.03, 0.025, 0.04, 0.06]
    results = [replace(each, rms=value) for each, value in zip(series(X), rms, strict=True)]
    found = one(correlate(results, scores(Y)), "alpha0")
    assert found.partial_rms == pytest.approx(partial(X, Y, np.log(rms)))
    lacking = one(correlate([*results[:-1], replace(results[-1], rms=None)], scores(Y)), "alpha0")
    assert (lacking.partial_rms, lacking.partial_rms_reason) == (None, "no_rms")
    told = [replace(each, rms=float(np.exp(value))) for each, value in zip(series(X), X, strict=True)]
    assert one(correlate(told, scores(Y)), "alpha0").partial_rms_reason == "no_remainder"


def test_the_excess_over_the_shuffled_null_stands_beside() -> None:
    def over(value: float) -> NullExcess:
        own = Excess(value=value, n=3, draws=8)
        none = Excess(value=None, n=3, draws=8)
        return NullExcess(alpha0=own, width=none, nfd_variance=own, emergence=None)

    results = [
        replace(each, excess={"shuffled": over(y)}) for each, y in zip(series(X), reversed(Y), strict=True)
    ]
    found = correlate(results, scores(Y))
    assert one(found, "alpha0", EXCESS).pearson == pytest.approx(stats.pearsonr(Y[::-1], Y).statistic)
    assert not [each for each in found if each.model == EXCESS and each.measure != "alpha0"]


def test_what_has_no_coefficient_says_why() -> None:
    results = series([1.0, 1.1, 1.2, 1.3, 1.4])
    short = one(correlate(results, scores([1.0, 2.0], [0, 8])), "alpha0")
    assert {short.reason, short.partial_step_reason, short.differences_reason, short.p_reason} == {
        "few_steps"
    }
    flat = correlate(results, scores([2.0] * 5))
    assert one(flat, "alpha0").reason == one(flat, "width").reason == "constant"
    missing = one(correlate(results, scores([1.0, 2.0, 3.0, 4.0, 5.0])), "emergence")
    assert (missing.n, missing.reason, missing.pearson, missing.spearman) == (0, "few_steps", None, None)
    three = one(correlate(results, scores([1.0, 4.0, 3.0], [0, 8, 16])), "alpha0")
    assert three.pearson is not None
    assert (three.partial_step, three.partial_step_reason) == (None, "few_steps")


def test_steps_are_matched_and_the_first_can_be_left_out() -> None:
    results = [*series([1.0, 1.1, 1.2, 1.3, 1.4]), checkpoint(None)]
    given = [*scores([5.0, 1.0, 2.0, 3.0], [128, 8, 32, 64]), Score(None, "piqa", "acc", 7.0)]
    assert one(correlate(results, given), "alpha0").n == 3
    assert one(correlate(results, given, from_step=32), "alpha0").n == 2
    assert correlate(results, []) == []


# p


def test_below_25_steps_there_is_no_p_and_from_25_on_there_is_one() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, FEWEST)).cumsum(axis=1)
    steps = np.arange(FEWEST) * 1000.0
    assert shift_test(steps[:-1], x[:-1], y[:-1]) == (None, "few_steps")
    p, reason = shift_test(steps, x, y)
    assert reason is None
    assert p is not None and 1 / 24 <= p <= 1
    assert p * 24 == pytest.approx(round(p * 24))


def test_each_shift_is_freed_from_the_trend_anew() -> None:
    """Against the same written out: every shift of either curve projected by itself."""
    rng = np.random.default_rng(6)
    trend = trend_of(evidence.STEPS["Pythia's"])
    assert trend.T @ trend == pytest.approx(np.eye(trend.shape[1]), abs=1e-9)

    def freed(curve):
        return curve - trend @ (trend.T @ curve)

    a, b = map(freed, rng.normal(size=(2, 26)))
    expected = [
        abs(a @ np.roll(b, k)) / np.linalg.norm(freed(np.roll(b, k))) / np.linalg.norm(freed(np.roll(a, -k)))
        for k in range(26)
    ]
    assert shifted_correlations(a, b, trend) == pytest.approx(np.array(expected))


def test_what_a_trend_takes_up_has_no_p() -> None:
    rng = np.random.default_rng(7)
    steps = np.arange(30) * 100.0
    walk = rng.normal(size=30).cumsum()
    assert shift_test(steps, np.log(steps + 1.0), walk) == (None, "only_trend")
    assert shift_test(steps, walk, 3.0 * np.arange(30.0)) == (None, "only_trend")
    uneven = np.exp(np.repeat(np.linspace(0, 40, 13), 2)) + np.arange(26.0)
    assert shift_test(uneven, rng.normal(size=26), rng.normal(size=26)) == (None, "uneven_steps")


@pytest.mark.parametrize("grid", evidence.STEPS)
def test_curves_that_do_move_together_are_found(grid: str) -> None:
    steps, rng, found = evidence.STEPS[grid], np.random.default_rng(8), 0
    for _ in range(100):
        shared, own = rng.normal(size=(2, steps.size))
        p, _ = shift_test(steps, shared.cumsum(), (0.9 * shared + 0.436 * own).cumsum())
        found += p is not None and p < 0.05
    assert found >= 90


@pytest.mark.parametrize("grid", evidence.STEPS)
@pytest.mark.parametrize(
    ("kind", "noise"), [("random walks", None), ("AR(.9)", None), ("drift", None), ("saturating", 0.02)]
)
def test_unrelated_curves_seldom_pass(kind: str, grid: str, noise: float | None) -> None:
    """300 draws of each; 4,000 are published in evidence/results/correlations.json (`make evidence`)."""
    found = evidence.rate(kind, grid, evidence.STEPS[grid], noise, 300)
    assert found["shift"] <= 0.08
    assert found["plain"] >= 0.3


def test_published_rates_hold_what_the_page_claims() -> None:
    path = Path(evidence.__file__).parent / "results" / "correlations.json"
    rates = json.loads(path.read_text())["found"]["rates"]
    assert {(row["curves"], row["steps"]) for row in rates} >= {
        (kind, grid) for kind in ("random walks", "AR(.9)", "drift", "saturating") for grid in evidence.STEPS
    }
    for row in rates:
        assert (row["trials"], row["n"]) == (4000, 27)
        is_the_limit = row["noise"] == 0.001 and row["steps"] == "Pythia's"
        assert row["shift"] <= 0.08 or is_the_limit, row


def test_q_is_over_tasks_and_measures_of_a_model() -> None:
    rng = np.random.default_rng(9)
    steps = [1000 * k for k in range(27)]

    def curve() -> dict[int, float]:
        return dict(zip(steps, rng.normal(size=27).cumsum().tolist(), strict=True))

    tasks = {task: curve() for task in ("a", "b")}
    given = [
        Score(step, task, "acc", value) for task, table in tasks.items() for step, value in table.items()
    ]
    curves = {("alpha0", "real"): curve(), ("width", "real"): curve(), ("alpha0", "shuffled"): curve()}
    found = correlate_curves(curves, given)
    for model, count in (("real", 4), ("shuffled", 2)):
        own = [each for each in found if each.model == model]
        assert len(own) == count
        expected = stats.false_discovery_control([each.p for each in own])
        assert [each.q for each in own] == pytest.approx(expected.tolist())


# the worked example


def test_the_worked_example_gives_the_figures_of_the_page() -> None:
    found = {row["task"]: row for row in evidence.example()}
    for task, partial_step in (("lambada_openai", 0.63), ("piqa", 0.53), ("arc_easy", 0.14)):
        assert found[task]["pearson"] == pytest.approx(0.99, abs=0.005)
        assert found[task]["partial_step_from_3000"] == pytest.approx(partial_step, abs=0.005)
        assert (found[task]["n"], found[task]["p_reason"]) == (18, "few_steps")
    path = Path(evidence.__file__).parent / "results" / "correlations.json"
    assert json.loads(path.read_text())["found"]["example"] == [
        pytest.approx(row, rel=1e-9) for row in evidence.example()
    ]


def test_the_worked_example_is_what_was_read_off_the_figure() -> None:
    values = evidence.emergence_read_off()
    assert len(values) == 18
    assert (values[0], values[3000], values[53000], values[143000]) == (0.0, 0.3025, 0.6491, 0.681)
