"""How often two unrelated curves pass for related, by four tests; and the worked example of docs/method.md."""

import csv
import io
from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np
from scipy import stats
from scipy.signal import detrend

from neuromfa.correlations import correlate_curves
from neuromfa.network import FloatArray
from neuromfa.results import REAL
from neuromfa.score_files import published_scores
from neuromfa.shift_test import shift_test

MODEL = "pythia-1.4b-deduped"
TRIALS = 4000
NOISES = (0.001, 0.005, 0.01, 0.02, 0.05)
STEPS = {
    "even": np.arange(27) * 1000.0,
    "Pythia's": np.array(
        [0, *(2**k for k in range(10)), 1000, 3000, *range(13000, 143001, 10000)], dtype=float
    ),
}
TAUS = {"even": (2e3, 15e3), "Pythia's": (300.0, 30e3)}
LEVEL = 0.05


def found(trials: int = TRIALS) -> dict[str, Any]:
    """Return the rates of every kind of curves, and the worked example."""
    return {"rates": list(rates(trials)), "example": list(example())}


def rates(trials: int) -> Iterator[dict[str, Any]]:
    """Yield, for every kind of curves, the share of pairs with p < .05 by each test."""
    for grid, steps in STEPS.items():
        for kind in ("random walks", "AR(.9)", "drift"):
            yield rate(kind, grid, steps, None, trials)
        for noise in NOISES:
            yield rate("saturating", grid, steps, noise, trials)


def rate(kind: str, grid: str, steps: FloatArray, noise: float | None, trials: int) -> dict[str, Any]:
    """Return the share of unrelated pairs with p < .05; `noise` is the deviation in parts of the whole rise."""
    rng = np.random.default_rng([trials, list(STEPS).index(grid), int(1e4 * (noise or 0)), len(kind)])
    passed = np.zeros(4)
    for _ in range(trials):
        x, y = (_curve(rng, kind, grid, steps, noise) for _ in range(2))
        passed += [p is not None and p < LEVEL for p in _p_values(steps, x, y)]
    plain, differences, line, shift = (passed / trials).tolist()
    return {
        "curves": kind,
        "steps": grid,
        "noise": noise,
        "n": steps.size,
        "plain": plain,
        "differences": differences,
        "line": line,
        "shift": shift,
        "trials": trials,
    }


def _p_values(steps: FloatArray, x: FloatArray, y: FloatArray) -> tuple[float, float, float, float | None]:
    dx, dy = np.diff(x), np.diff(y)
    return (
        stats.pearsonr(x, y).pvalue,
        stats.pearsonr(dx, dy).pvalue,
        _shifts_off_a_line(dx, dy),
        shift_test(steps, x, y)[0],
    )


def _shifts_off_a_line(dx: FloatArray, dy: FloatArray) -> float:
    """Return p of circular shifts of first differences that are detrended by a straight line."""
    a, b = (detrend(each) for each in (dx, dy))
    products = [abs(a @ np.roll(b, k)) for k in range(a.size)]
    return float(np.mean(np.array(products) >= products[0] * (1 - 1e-9)))


def _curve(
    rng: np.random.Generator, kind: str, grid: str, steps: FloatArray, noise: float | None
) -> FloatArray:
    shocks = rng.normal(size=steps.size)
    if kind == "random walks":
        return shocks.cumsum()
    if kind == "drift":
        return (shocks + rng.uniform(0.2, 1.0)).cumsum()
    if kind == "AR(.9)":
        return _autoregression(shocks, 0.9)
    return _saturating(rng, grid, steps) + (noise or 0.0) * shocks


def _autoregression(shocks: FloatArray, coefficient: float) -> FloatArray:
    values = [shocks[0] / np.sqrt(1.0 - coefficient**2)]
    for shock in shocks[1:]:
        values.append(coefficient * values[-1] + shock)
    return np.array(values)


def _saturating(rng: np.random.Generator, grid: str, steps: FloatArray) -> FloatArray:
    """Return an exponential or a Hill curve from 0 towards 1, with a scale of its own."""
    tau = np.exp(rng.uniform(*np.log(TAUS[grid])))
    if rng.random() < 0.5:
        return np.asarray(1.0 - np.exp(-steps / tau))
    power = (steps / tau) ** rng.uniform(0.5, 2.0)
    return np.asarray(power / (1.0 + power))


def emergence_read_off() -> dict[int, float]:
    """Return E of pythia-1.4b-deduped by step, read off the paper's figure."""
    text = (
        resources.files("neuromfa").joinpath("data", "pythia_1.4b_deduped_emergence.csv").read_text("utf-8")
    )
    rows = csv.DictReader(io.StringIO(text))
    return {int(row["step"]): float(row["emergence"]) for row in rows if row["step"].isdecimal()}


def example() -> Iterator[dict[str, Any]]:
    """Yield how E goes along with the published scores: over all steps, and from step 3000 on."""
    curves = {("emergence", REAL): emergence_read_off()}
    scores = [score for score in published_scores(MODEL) if score.metric == "acc"]
    whole, late = (correlate_curves(curves, scores, from_step=first) for first in (0, 3000))
    for one, later in zip(whole, late, strict=True):
        yield {
            "task": one.task,
            "n": one.n,
            "pearson": one.pearson,
            "spearman": one.spearman,
            "differences": one.differences,
            "n_from_3000": later.n,
            "pearson_from_3000": later.pearson,
            "partial_step_from_3000": later.partial_step,
            "p_reason": one.p_reason,
        }
