"""Sweeps out of what is stored: the analyses of a model that differ in one option alone."""

from collections.abc import Mapping, Sequence

from neuromfa.errors import NotStored, OptionError
from neuromfa.graph.stored_results import fitting
from neuromfa.options import AnalysisOptions
from neuromfa.results import CurvePoint
from neuromfa.stored import Analysis
from neuromfa.structure import Step
from neuromfa.sweep import FEWEST_VALUES, FailedValue, Sweep, SweepPoint, value_of

Values = Mapping[str, Analysis]
"""The analyses of a sweep by their value, in its order: numbers ascending, then words."""


def stored_values(
    model: str, analyses: Sequence[Analysis], option: str, **asked: str | None
) -> tuple[Analysis, Values]:
    """Return an analysis that fits what is asked for, and those that differ from it in one option alone.

    Parameters
    ----------
    analyses : of the model, the one that is served by default first; the first with several values is taken
    option : one of `SWEPT`
    asked : profile, hops, baseline, beginning of an `options_hash`; None for any

    Returns
    -------
    base, values : the analysis whose other options all of them have; itself among the values

    Raises
    ------
    NotStored : fewer than two values are stored; the message says how to measure more
    """
    bases = list(fitting(analyses, **asked))
    found = [(base, _differing(base, analyses, option)) for base in bases]
    several = next((one for one in found if len(one[1]) >= FEWEST_VALUES), None)
    if several is None:
        raise _too_few(model, option, bases)
    return several


def stored_sweep(
    model: str, option: str, base: AnalysisOptions, values: Values, curves: Mapping[str, Sequence[CurvePoint]]
) -> Sweep:
    """Return the sweep of stored curves; a step that a value lacks and another has is told among the failed.

    Parameters
    ----------
    curves : by value, each by step
    """
    steps: list[Step] = list(dict.fromkeys(point.step for curve in curves.values() for point in curve))
    points, failed = [], []
    for value, analysis in values.items():
        own = curves[value]
        points += [SweepPoint.of(one, value=value, options_hash=analysis.options_hash) for one in own]
        present = {one.step for one in own}
        failed += [
            FailedValue(value, step, f"no result with {option} {value} is stored of this step")
            for step in sorted(set(steps) - present, key=lambda step: -1 if step is None else step)
        ]
    return Sweep(model, option, list(values), base, points, failed)


def _differing(base: Analysis, analyses: Sequence[Analysis], option: str) -> dict[str, Analysis]:
    alike = [one for one in analyses if _is_alike(base, one, option)]
    by_value = {value_of(one.options, option): one for one in reversed(alike)}
    return {value: by_value[value] for value in sorted(by_value, key=_order)}


def _is_alike(base: Analysis, other: Analysis, option: str) -> bool:
    """Tell whether the other has the options of the base when that takes the other's value."""
    plain = base.options.as_json() | {option: other.options.as_json()[option]}
    try:
        turned = AnalysisOptions.from_json(plain)
    except OptionError:  # the other's value does not go with the rest of these options
        return False
    return turned == other.options and base.method_version == other.method_version


def _order(value: str) -> tuple[bool, float, str]:
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value


def _too_few(model: str, option: str, bases: Sequence[Analysis]) -> NotStored:
    stored = ", ".join(sorted({value_of(one.options, option) for one in bases}, key=_order))
    return NotStored(
        f"model {model!r} has no two stored analyses that differ in {option} alone and fit what is asked for "
        f"({option} there: {stored or 'none'}); `neuromfa ingest SOURCE --sweep {option}=value,value` measures them"
    )
