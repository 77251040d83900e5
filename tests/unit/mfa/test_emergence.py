"""E(t), its reasons for not being there, and the jackknife: against plain loops, and by how often it covers."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromfa import mfa
from neuromfa.errors import AnalysisError, EmptyNetwork, UndefinedEmergence
from neuromfa.mfa.emergence import emergence, emergence_reason
from neuromfa.mfa.uncertainty import (
    emergence_estimate,
    half_width,
    leave_one_out,
    mean_curve,
    mean_estimate,
    student_t,
)
from neuromfa.options import AnalysisOptions
from neuromfa.results import Estimate

from . import oracle
from .networks import network_of

CLOSE = 1e-12
positive = st.floats(0.1, 10.0)
# Two-sided 95 % quantiles as printed in tables, by number of samples.
T_TABLE = {2: 12.706, 3: 4.303, 10: 2.262, 30: 2.045}


def test_emergence_by_hand() -> None:
    assert emergence(width_t=3.0, width_0=1.5, alpha0_t=1.0, alpha0_0=math.e) == pytest.approx(2.0)
    assert emergence(width_t=3.0, width_0=1.5, alpha0_t=math.e, alpha0_0=1.0) == pytest.approx(-2.0)
    assert emergence(width_t=0.7, width_0=0.7, alpha0_t=1.3, alpha0_0=1.3) == 0.0
    assert emergence(width_t=0.0, width_0=0.7, alpha0_t=1.0, alpha0_0=1.3) == 0.0


@pytest.mark.parametrize(
    ("width_0", "alpha0_t", "alpha0_0", "reason"),
    [
        (1.0, 0.0, 1.0, "alpha0_not_positive"),
        (1.0, 1.0, -0.5, "alpha0_not_positive"),
        (1.0, 1.0, 0.0, "alpha0_not_positive"),
        (0.0, 1.0, 1.0, "zero_baseline_width"),
        (-1e-12, 1.0, 1.0, "zero_baseline_width"),
        (1e-9, 1.0, 1.0, "zero_baseline_width"),
        (1e-8, 1.0, 1.0, None),
        (-0.5, 1.0, 1.0, None),
    ],
)
def test_why_there_is_no_emergence(
    width_0: float, alpha0_t: float, alpha0_0: float, reason: str | None
) -> None:
    assert emergence_reason(width_0=width_0, alpha0_t=alpha0_t, alpha0_0=alpha0_0) == reason
    if reason:
        with pytest.raises(UndefinedEmergence, match=reason) as raised:
            emergence(width_t=1.0, width_0=width_0, alpha0_t=alpha0_t, alpha0_0=alpha0_0)
        assert raised.value.reason == reason
        again = pickle.loads(pickle.dumps(raised.value))
        assert (again.reason, str(again)) == (reason, str(raised.value))


@pytest.mark.parametrize("n", sorted(T_TABLE))
def test_quantiles_of_student(n: int) -> None:
    assert student_t(n) == pytest.approx(T_TABLE[n], abs=5e-4)


def test_jackknife_of_a_mean_is_the_textbook_interval() -> None:
    """1, 2, 6: mean 3, s = sqrt 7, half width t_2 sqrt(7 / 3)."""
    found = mean_estimate([1.0, 2.0, 6.0])
    half = student_t(3) * math.sqrt(7 / 3)
    assert (found.value, found.n) == (3.0, 3)
    assert (found.low, found.high) == pytest.approx((3.0 - half, 3.0 + half), abs=CLOSE)
    np.testing.assert_allclose(leave_one_out(np.array([1.0, 2.0, 6.0])), [4.0, 3.5, 1.5])
    assert half_width(np.array([4.0, 3.5, 1.5])) == pytest.approx(half, abs=CLOSE)


@pytest.mark.parametrize("values", [[1.5], [1.5, 2.5]])
def test_no_interval_below_three_samples(values: list[float]) -> None:
    mean = sum(values) / len(values)
    assert mean_estimate(values) == Estimate(mean, None, None, len(values))
    curve, low, high = mean_curve([np.array([v, 2 * v]) for v in values])
    assert curve.tolist() == [mean, 2 * mean] and low is None and high is None
    pair = {"widths_t": values, "widths_0": values, "alpha0s_t": values, "alpha0s_0": values}
    assert emergence_estimate(**pair) == Estimate(0.0, None, None, len(values))


def test_curves_are_estimated_point_by_point() -> None:
    for n in (3, 6):
        curves = np.random.default_rng(0).normal(size=(n, 4))
        mean, low, high = mean_curve(list(curves))
        assert low is not None and high is not None
        for k in range(4):
            single = mean_estimate(curves[:, k].tolist())
            expected = (single.value, single.low, single.high)
            assert (mean[k], low[k], high[k]) == pytest.approx(expected, abs=CLOSE)


@given(st.lists(st.tuples(positive, positive, positive, positive), min_size=3, max_size=12))
def test_paired_jackknife_against_plain_loops(table: list[tuple[float, float, float, float]]) -> None:
    widths_t, widths_0, alpha0s_t, alpha0s_0 = (list(column) for column in zip(*table, strict=True))
    found = emergence_estimate(widths_t=widths_t, widths_0=widths_0, alpha0s_t=alpha0s_t, alpha0s_0=alpha0s_0)
    expected = oracle.jackknife(table, oracle.emergence, student_t(len(table)))
    assert (found.value, found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.n == len(table)


def test_at_the_baseline_emergence_is_0_without_any_spread() -> None:
    widths, alpha0s = [0.4, 0.5, 0.7, 0.6], [1.1, 1.3, 1.2, 1.5]
    found = emergence_estimate(widths_t=widths, widths_0=widths, alpha0s_t=alpha0s, alpha0s_0=alpha0s)
    assert found == Estimate(0.0, 0.0, 0.0, 4)


def test_pairing_narrows_the_interval() -> None:
    draw = np.random.default_rng(0)
    shared = draw.normal(size=10)
    alpha0s_0 = (2 + 0.1 * shared).tolist()
    alpha0s_t = (1.5 + 0.075 * shared + 1e-4 * draw.normal(size=10)).tolist()
    widths = [0.5] * 10
    paired = emergence_estimate(widths_t=widths, widths_0=widths, alpha0s_t=alpha0s_t, alpha0s_0=alpha0s_0)
    broken = emergence_estimate(
        widths_t=widths, widths_0=widths, alpha0s_t=alpha0s_t[::-1], alpha0s_0=alpha0s_0
    )
    assert paired.high - paired.low < (broken.high - broken.low) / 20


def test_no_interval_where_emergence_hangs_on_one_seed() -> None:
    found = emergence_estimate(
        widths_t=[1.0] * 3, widths_0=[1.0] * 3, alpha0s_t=[5.0, -1.0, -1.0], alpha0s_0=[1.0] * 3
    )
    assert found == Estimate(0.0, None, None, 3)


def test_series_of_different_lengths_are_refused() -> None:
    with pytest.raises(
        AnalysisError, match="a checkpoint of 3 samples cannot be paired with a baseline of 2"
    ):
        emergence_estimate(widths_t=[1.0] * 3, widths_0=[1.0] * 2, alpha0s_t=[1.0] * 3, alpha0s_0=[1.0] * 2)


def population(seed: int, *, shift: float) -> np.ndarray:
    """alpha0 and width of many small synthetic networks, shape (n, 2)."""
    draw = np.random.default_rng(seed)
    options = AnalysisOptions(min_edges=5)
    found = []
    while len(found) < 600:
        try:
            measure = mfa.measure(network_of([shift * draw.standard_t(5, (40, 30))]), options)
        except EmptyNetwork:
            continue
        found.append((measure.alpha0, measure.width))
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize("trials", [2000, pytest.param(40_000, marks=pytest.mark.long)])
def test_intervals_cover_the_mean_over_seeds_at_their_rate(trials: int) -> None:
    """Ten seeds at a time from a population of networks: the mean of all is inside 93 to 97 times in a hundred."""
    then, now = population(1, shift=0.02), population(2, shift=0.03)
    draw = np.random.default_rng(3)
    (alpha0_0, width_0), (alpha0_t, width_t) = then.mean(axis=0), now.mean(axis=0)
    truth = (alpha0_t, width_t, oracle.emergence(width_t, width_0, alpha0_t, alpha0_0))
    inside = np.zeros(3)
    for _ in range(trials):
        early, late = then[draw.integers(0, len(then), 10)], now[draw.integers(0, len(now), 10)]
        estimates = (
            mean_estimate(late[:, 0]),
            mean_estimate(late[:, 1]),
            emergence_estimate(
                widths_t=late[:, 1], widths_0=early[:, 1], alpha0s_t=late[:, 0], alpha0s_0=early[:, 0]
            ),
        )
        inside += [e.low <= value <= e.high for e, value in zip(estimates, truth, strict=True)]
    assert (inside / trials >= 0.93).all() and (inside / trials <= 0.97).all(), inside / trials
