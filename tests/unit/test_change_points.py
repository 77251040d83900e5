"""Change points of curves over training: bends that are there are found, straight curves are seldom cut."""

from dataclasses import replace

import numpy as np
import pytest

from neuromfa import change_points as module
from neuromfa.change_points import change_points, cuts_of, noise_of
from neuromfa.changes import CurveChanges
from neuromfa.results import CheckpointResult, Estimate
from tests.unit.making_results import checkpoint

STEPS = np.unique(np.concatenate([[0], np.geomspace(1, 143_000, 26).astype(int)]))
X = np.log1p(STEPS)


def series(steps: np.ndarray, values: np.ndarray) -> list[CheckpointResult]:
    return [
        replace(checkpoint(int(step)), alpha0=Estimate(float(value), None, None, 3))
        for step, value in zip(steps, values, strict=True)
    ]


def bent(at: float, *, noise: float, seed: int = 0) -> np.ndarray:
    """Level before a step, and falling over log(step + 1) from there on."""
    draw = np.random.default_rng(seed)
    return 1.5 - 0.1 * np.maximum(X - np.log1p(at), 0.0) + noise * draw.normal(size=X.size)


@pytest.mark.parametrize("at", [100, 1000, 5000])
def test_a_bend_is_found_where_it_is(at: int) -> None:
    found = change_points(series(STEPS, bent(at, noise=0.005)))["alpha0"]
    assert found.reason is None and found.n == STEPS.size
    [point] = found.points
    places = np.searchsorted(STEPS, [at, point.before])
    assert abs(places[0] - places[1]) <= 2
    assert abs(point.slope_before) < 0.02 and point.slope_after == pytest.approx(-0.1, abs=0.02)
    assert list(STEPS).index(point.before) == list(STEPS).index(point.after) + 1


@pytest.mark.parametrize("n", [12, 27])
def test_straight_curves_are_seldom_cut(n: int) -> None:
    draw, x = np.random.default_rng(n), np.linspace(0.0, 12.0, n)
    cut = 0
    for _ in range(60):
        y = 1.5 - 0.05 * x + 0.01 * draw.normal(size=n)
        cut += bool(cuts_of(x, y / noise_of(x, y)))
    assert cut <= 6, "nominally one in twenty"


def test_the_noise_is_that_around_a_straight_line() -> None:
    y = 3.0 - 0.5 * np.linspace(0, 9, 2000) ** 1.0 + 0.2 * np.random.default_rng(1).normal(size=2000)
    assert noise_of(np.linspace(0, 9, 2000), y) == pytest.approx(0.2, rel=0.1)


def test_few_steps_and_curves_without_noise_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert change_points(series(STEPS[:9], bent(100, noise=0.01)[:9]))["alpha0"] == CurveChanges(
        n=9, reason="few_steps"
    )
    straight = change_points(series(STEPS, np.full(X.size, 1.5)))
    assert (straight["alpha0"].reason, straight["g"].reason) == ("no_noise", "few_steps")
    monkeypatch.setattr(module.extras, "installed", lambda _: False)
    module._changes.cache_clear()
    assert change_points(series(STEPS, bent(100, noise=0.01)))["alpha0"].reason == "not_installed"
    module._changes.cache_clear()
