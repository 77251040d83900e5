"""Change points (ours): the steps at which a curve over training takes another direction.

A curve is taken as straight pieces over log(step + 1), cut by PELT (Killick, Fearnhead and Eckley 2012) of the library
ruptures, extra ``changes``. The noise is that of each point against the line through its neighbours, and a cut has to
pay for three numbers more.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from neuromfa import extras
from neuromfa.changes import ChangePoint, CurveChanges
from neuromfa.network import FloatArray
from neuromfa.results import CheckpointNumbers, Estimate

FEWEST_STEPS, FEWEST_OF_PIECE = 10, 3
FEW_STEPS, NOT_INSTALLED, NO_NOISE = "few_steps", "not_installed", "no_noise"
MEASURES = ("alpha0", "width", "g")
NORMAL_MAD = 1.4826
"""Standard deviation of normal numbers whose median size is 1."""


def change_points(checkpoints: Sequence[CheckpointNumbers]) -> dict[str, CurveChanges]:
    """Return the change points of alpha0, width and g over the steps of a series."""
    return {measure: _changes(_values(checkpoints, measure)) for measure in MEASURES}


Curve = tuple[tuple[int, float], ...]
"""Steps and values."""


def _values(checkpoints: Sequence[CheckpointNumbers], measure: str) -> Curve:
    found = {one.step: _value(one, measure) for one in checkpoints if one.step is not None}
    return tuple((step, value) for step, value in sorted(found.items()) if value is not None)


def _value(one: CheckpointNumbers, measure: str) -> float | None:
    if measure == "g":
        return one.verdict.structure.g if one.verdict else None
    estimate: Estimate = getattr(one, measure)
    return estimate.value


# a server is asked for the same curve again and again
@lru_cache(maxsize=256)
def _changes(values: Curve) -> CurveChanges:
    n = len(values)
    if n < FEWEST_STEPS:
        return CurveChanges(n=n, reason=FEW_STEPS)
    if not extras.installed("ruptures"):
        return CurveChanges(n=n, reason=NOT_INSTALLED)
    steps = [step for step, _ in values]
    x, y = np.log1p(np.array(steps, dtype=np.float64)), np.array([value for _, value in values])
    noise = noise_of(x, y)
    if noise == 0.0:
        return CurveChanges(n=n, reason=NO_NOISE)
    cuts = cuts_of(x, y / noise)
    ends = [0, *cuts, n]
    slopes = [float(np.polyfit(x[a:b], y[a:b], 1)[0]) for a, b in zip(ends, ends[1:], strict=False)]
    points = [ChangePoint(steps[cut - 1], steps[cut], slopes[k], slopes[k + 1]) for k, cut in enumerate(cuts)]
    return CurveChanges(points, n)


def noise_of(x: FloatArray, y: FloatArray) -> float:
    """Return the standard deviation of points around the line through their neighbours, by the median."""
    share = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    apart = y[1:-1] - ((1.0 - share) * y[:-2] + share * y[2:])
    return NORMAL_MAD * float(np.median(np.abs(apart) / np.sqrt(1.0 + (1.0 - share) ** 2 + share**2)))


def cuts_of(x: FloatArray, y: FloatArray) -> list[int]:
    """Return where a curve of noise 1 is cut: the index of the first point of every later piece."""
    ruptures = extras.load("ruptures", what="Change points")
    signal = np.column_stack([y, x, np.ones_like(x)])
    search = ruptures.Pelt(model="linear", min_size=FEWEST_OF_PIECE, jump=1).fit(signal)
    found: list[int] = search.predict(pen=penalty(x.size))
    return found[:-1]


def penalty(n: int) -> float:
    """Return what a cut costs, in units of the noise: at most one straight curve in twenty is then cut."""
    return 4.0 * float(np.log(n)) * (1.0 + 20.0 / n)
