"""How E, alpha0 and width of a series go along with its benchmark scores, and how those of the nulls do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.mfa.nulls import NULL_KINDS
from neuromfa.network import FloatArray
from neuromfa.results import REAL, CheckpointNumbers, values_by_step
from neuromfa.scores import Score, by_benchmark

MEASURES = ("emergence", "alpha0", "width")
FEWEST = 3
FEWEST_FOR_INTERVAL = 5
RESAMPLES = 1000
LEVEL = (2.5, 97.5)
CAVEAT = (
    "The steps of one training run are not independent draws: whatever grows with training goes along with whatever "
    "else does. p and the intervals are narrower than they should be; what tells something is the difference from "
    "the nulls."
)


@dataclass(frozen=True)
class Coefficient:
    """A correlation coefficient, its 95 % bootstrap interval over steps (None below 5 steps) and two-sided p."""

    value: float
    low: float | None
    high: float | None
    p: float


@dataclass(frozen=True)
class Correlation:
    """One measure of the real weights (`model` real) or of a null, against one benchmark over `n` common steps.

    `reason` says why there is no coefficient: ``few_steps`` below 3, ``constant`` when either never changes.
    """

    measure: str
    model: str
    task: str
    metric: str
    n: int
    pearson: Coefficient | None
    spearman: Coefficient | None
    reason: str | None


def correlate(results: Sequence[CheckpointNumbers], scores: Sequence[Score]) -> list[Correlation]:
    """Correlate every measure, real and null, with every benchmark over the steps that have both.

    Intervals are percentiles of 1000 resamples of the steps, drawn by a generator of fixed seed. See `CAVEAT`.
    """
    nulls = [name for name in NULL_KINDS if any(name in (result.nulls or ()) for result in results)]
    measured = {
        (measure, model): values_by_step(results, measure, model=model)
        for measure in MEASURES
        for model in (REAL, *nulls)
    }
    return [
        _correlation(measure, model, values, task, metric, scored)
        for task, metric, scored in by_benchmark(scores)
        for (measure, model), values in measured.items()
    ]


def _correlation(
    measure: str,
    model: str,
    values: Mapping[int, float],
    task: str,
    metric: str,
    scored: Mapping[int, float],
) -> Correlation:
    steps = sorted(values.keys() & scored.keys())
    x, y = (np.array([table[step] for step in steps]) for table in (values, scored))
    reason = _reason(x, y)
    if reason:
        return Correlation(measure, model, task, metric, len(steps), None, None, reason)
    pearson, spearman = _coefficient(x, y, ranked=False), _coefficient(x, y, ranked=True)
    return Correlation(measure, model, task, metric, len(steps), pearson, spearman, None)


def _reason(x: FloatArray, y: FloatArray) -> str | None:
    if x.size < FEWEST:
        return "few_steps"
    return "constant" if np.ptp(x) == 0.0 or np.ptp(y) == 0.0 else None


def _coefficient(x: FloatArray, y: FloatArray, *, ranked: bool) -> Coefficient:
    from scipy import stats  # takes half a second to load, and little else here needs it

    found = stats.spearmanr(x, y) if ranked else stats.pearsonr(x, y)
    low, high = _interval(x, y, rank=partial(stats.rankdata, axis=1) if ranked else None)
    return Coefficient(float(np.clip(found.statistic, -1.0, 1.0)), low, high, float(found.pvalue))


def _interval(
    x: FloatArray, y: FloatArray, *, rank: Callable[[FloatArray], FloatArray] | None
) -> tuple[float | None, float | None]:
    """Return the percentile bootstrap interval; resamples in which either is constant have no coefficient.

    `rank` turns the values of each resample, shape (n_resamples, n), into ranks; None leaves them.
    """
    if x.size < FEWEST_FOR_INTERVAL:
        return None, None
    drawn = np.random.default_rng(0).integers(0, x.size, (RESAMPLES, x.size))
    samples = [rank(z[drawn]) if rank else z[drawn] for z in (x, y)]
    centred = [z - z.mean(axis=1, keepdims=True) for z in samples]
    norms = [np.sqrt((z**2).sum(axis=1)) for z in centred]
    varied = (norms[0] > 0.0) & (norms[1] > 0.0)
    products = (centred[0] * centred[1]).sum(axis=1)[varied]
    found = np.clip(products / (norms[0] * norms[1])[varied], -1.0, 1.0)  # rounding can pass 1
    low, high = np.percentile(found, LEVEL)
    return float(low), float(high)
