"""The measures of one checkpoint, all in one form, and the same by seed where samples are at hand."""

from collections.abc import Callable, Mapping
from math import copysign, isclose, sqrt

import numpy as np

from neuromfa.comparison.records import EXCESS, G2, MEASURES, NO_VERDICT, SHUFFLED, Value
from neuromfa.results import CheckpointNumbers, CheckpointResult, Estimate, SampleResult
from neuromfa.structure import NO_NULLS, Excess

BySeed = Mapping[int, float]


def values_of(checkpoint: CheckpointNumbers) -> dict[str, Value]:
    """Return every measure of a checkpoint; one that is missing says why."""
    return {measure: _value(checkpoint, measure) for measure in MEASURES}


def by_seed(result: CheckpointResult | None, measure: str, value: Value) -> BySeed | None:
    """Return a measure of every sample, None where it is not the mean of such values.

    E is made of means; g2 is at one hop and over the matrices that real network and draws both keep, which is not what
    a sample holds in every case.
    """
    if result is None or value.value is None or measure not in PER_SAMPLE:
        return None
    samples = result.shape.samples if measure == G2 and result.shape is not None else result.samples
    found = {sample.seed: one for sample in samples if (one := PER_SAMPLE[measure](sample)) is not None}
    if len(found) < value.n or not found:
        return None
    is_mean = isclose(float(np.mean(list(found.values()))), value.value, rel_tol=1e-6, abs_tol=1e-9)
    return found if is_mean else None


def _value(checkpoint: CheckpointNumbers, measure: str) -> Value:
    if measure in ("g", G2):
        return _structure(checkpoint, rooted=measure == "g")
    if measure.startswith(EXCESS):
        return _excess(checkpoint, measure.removeprefix(EXCESS))
    return _estimate(getattr(checkpoint, measure), checkpoint.emergence_reason)


def _estimate(estimate: Estimate | None, reason: str | None) -> Value:
    if estimate is None or estimate.value is None:
        return Value(value=None, reason=reason)
    return Value(value=estimate.value, low=estimate.low, high=estimate.high, n=estimate.n)


def _excess(checkpoint: CheckpointNumbers, figure: str) -> Value:
    over = (checkpoint.excess or {}).get(SHUFFLED)
    if over is None:
        return Value(value=None, reason=NO_NULLS)
    one: Excess | None = getattr(over, figure)
    if one is None:
        return Value(value=None, reason=checkpoint.emergence_reason)
    return Value(value=one.value, low=one.low, high=one.high, n=one.n, reason=one.reason)


def _structure(checkpoint: CheckpointNumbers, *, rooted: bool) -> Value:
    """Return g2, or g with the interval that is g2's on its scale."""
    if checkpoint.verdict is None:
        return Value(value=None, reason=NO_VERDICT)
    effect = checkpoint.verdict.structure
    value, low, high = (_root(one) if rooted else one for one in (effect.g2, effect.low, effect.high))
    return Value(value=value, low=low, high=high, n=effect.n, reason=effect.reason)


def _root(g2: float | None) -> float | None:
    return None if g2 is None else copysign(sqrt(abs(g2)), g2)


def _above_null(figure: str) -> Callable[[SampleResult], float | None]:
    """Return what takes the excess of a figure over the draws of the shuffled null out of a sample."""

    def excess(sample: SampleResult) -> float | None:
        real, null = getattr(sample, figure), sample.nulls.get(SHUFFLED)
        draws = [] if null is None else getattr(null, figure)
        return None if real is None or not draws or None in draws else real - float(np.mean(draws))

    return excess


PER_SAMPLE: Mapping[str, Callable[[SampleResult], float | None]] = {
    "alpha0": lambda sample: sample.alpha0,
    "width": lambda sample: sample.width,
    f"{EXCESS}alpha0": _above_null("alpha0"),
    f"{EXCESS}width": _above_null("width"),
    G2: _above_null("nfd_variance"),
}
