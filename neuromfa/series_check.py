"""Whether the steps of a series are one run: the same weights at two steps, another number format among them.

Each checkpoint is measured by itself; what only the others can tell is found here, from what was read anyway.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from neuromfa.options import BASELINE_FIRST, AnalysisOptions
from neuromfa.results import CheckpointNumbers, NullMetrics, Reading
from neuromfa.structure import Effect, Excess, NullExcess

SAME_WEIGHTS = "same_weights"
OTHER_DTYPE = "other_dtype"
FEWEST_FOR_FROZEN = 3
"""A matrix that is the same at so many steps, which are all, was kept out of training; at two nobody can tell."""

Step = int | None
Numbers = TypeVar("Numbers", bound=CheckpointNumbers)


@dataclass(frozen=True)
class Finding:
    """What the other steps tell of one.

    Attributes
    ----------
    flags : flags with their sentences
    emergence_reason : why E, if it was measured, says nothing
    """

    flags: Mapping[str, str] = field(default_factory=dict)
    emergence_reason: str | None = None

    def on(self, numbers: Numbers) -> Numbers:
        """Return the numbers of the step with what was found."""
        flags = [*numbers.flags, *(flag for flag in self.flags if flag not in numbers.flags)]
        told = replace(numbers, flags=flags, flag_notes={**numbers.flag_notes, **self.flags})
        return told if self.emergence_reason is None else _without_emergence(told, self.emergence_reason)


def baseline_step(options: AnalysisOptions) -> int | None:
    """Return the step of the series that E is measured against, None where that is not one of its steps."""
    if options.baseline == BASELINE_FIRST:
        return 0
    return int(options.baseline) if options.baseline.isdecimal() else None


def with_baseline(
    readings: Mapping[Step, Reading], options: AnalysisOptions, baseline: Reading | None
) -> dict[Step, Reading]:
    """Return the readings of steps with that of the baseline first, where it is a step that is not among them."""
    step = baseline_step(options)
    if baseline is None or step is None or step in readings:
        return dict(readings)
    return {step: baseline, **readings}


def findings(readings: Mapping[Step, Reading], *, baseline: int | None) -> dict[Step, Finding]:
    """Return what the steps of a series tell of each other.

    Parameters
    ----------
    readings : of all steps that were read
    baseline : the step E is measured against

    Returns
    -------
    found : steps of which there is something to tell
    """
    frozen = _frozen(list(readings.values()))
    twins = _twins(readings)
    doubtful = baseline in readings and bool(_others(twins, baseline, readings[baseline], frozen))
    found = {}
    for step, reading in readings.items():
        flags = _same_weights(twins, step, reading) | _other_dtype(readings, step)
        if flags or doubtful:
            found[step] = Finding(flags, SAME_WEIGHTS if doubtful else None)
    return found


def _twins(readings: Mapping[Step, Reading]) -> dict[tuple[str, str], list[Step]]:
    """Return the steps at which each matrix has the same weights."""
    places: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step, reading in readings.items():
        for matrix in reading.matrices.items():
            places[matrix].append(step)
    return {matrix: steps for matrix, steps in places.items() if len(steps) > 1}


def _frozen(readings: Sequence[Reading]) -> frozenset[tuple[str, str]]:
    """Return the matrices that are the same at every step of a series, unless all are: then nothing was trained."""
    if len(readings) < FEWEST_FOR_FROZEN:
        return frozenset()
    everywhere = frozenset.intersection(*(frozenset(reading.matrices.items()) for reading in readings))
    return everywhere if any(len(everywhere) < len(reading.matrices) for reading in readings) else frozenset()


def _others(
    twins: Mapping[tuple[str, str], list[Step]],
    step: Step,
    reading: Reading,
    without: frozenset[tuple[str, str]] = frozenset(),
) -> Counter[Step]:
    """Count the matrices that a step shares with each other step."""
    shared = (twins.get(matrix, []) for matrix in reading.matrices.items() if matrix not in without)
    return Counter(other for steps in shared for other in steps if other != step)


def _same_weights(
    twins: Mapping[tuple[str, str], list[Step]], step: Step, reading: Reading
) -> dict[str, str]:
    others = _others(twins, step, reading)
    if not others:
        return {}
    [(other, count)], total = others.most_common(1), len(reading.matrices)
    share = "all weights" if count == total else f"the weights of {count} of {total} matrices"
    more = f" (and of {len(others) - 1} steps more)" if len(others) > 1 else ""
    return {SAME_WEIGHTS: f"{share} are those of step {other}{more}"}


def _other_dtype(readings: Mapping[Step, Reading], step: Step) -> dict[str, str]:
    first, start = next(iter(readings.items()))
    own = readings[step].dtype
    if own == start.dtype:
        return {}
    return {OTHER_DTYPE: f"stored as {own}, while step {first} is stored as {start.dtype}"}


def _without_emergence(numbers: Numbers, reason: str) -> Numbers:
    """Return numbers without anything that was taken against the baseline."""
    matched, terms, shape, verdict = numbers.scale_matched, numbers.terms, numbers.shape, numbers.verdict
    changed = verdict.changed if verdict is not None else None
    return replace(
        numbers,
        emergence=None,
        emergence_reason=reason,
        emergence_tie=None,
        nulls=_nulls(numbers.nulls, reason),
        excess=_excess(numbers.excess, reason),
        terms=None if terms is None else {},
        shape=None
        if shape is None
        else replace(
            shape,
            emergence=None,
            emergence_reason=reason,
            nulls=_nulls(shape.nulls, reason),
            excess=_excess(shape.excess, reason),
        ),
        verdict=verdict
        if verdict is None or changed is None
        else replace(verdict, changed=Effect(answer=None, reason=reason)),
        scale_matched=None if matched is None else replace(matched, emergence=None),
    )


def _nulls(nulls: dict[str, NullMetrics] | None, reason: str) -> dict[str, NullMetrics] | None:
    if nulls is None:
        return None
    return {name: replace(null, emergence=None, reason=null.reason or reason) for name, null in nulls.items()}


def _excess(excess: dict[str, NullExcess] | None, reason: str) -> dict[str, NullExcess] | None:
    if excess is None:
        return None
    return {name: replace(one, emergence=_nothing(one.emergence, reason)) for name, one in excess.items()}


def _nothing(excess: Excess | None, reason: str) -> Excess | None:
    return excess and Excess(value=None, n=excess.n, draws=excess.draws, reason=reason)
