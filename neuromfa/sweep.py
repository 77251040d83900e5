"""Sweeps: one option of an analysis run through several values, to see how far the numbers depend on it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neuromfa.declared import DOCUMENTED, Declared, NoneMeans, fields_of
from neuromfa.errors import AnalysisError, OptionError
from neuromfa.identity import options_hash
from neuromfa.options import AnalysisOptions
from neuromfa.results import CurvePoint, Estimate, SeriesResult
from neuromfa.structure import Effect, Excess

if TYPE_CHECKING:
    from neuromfa.analysis import Progress
    from neuromfa.checkpoints import CheckpointSeries

SWEPT = (
    *("nodes", "samples", "max_distance", "grid", "hops", "min_edges"),
    *("lambda", "gamma", "draws", "profile", "seed"),
)
"""Options that can be swept."""
FEWEST_VALUES, MOST_VALUES = 2, 20


@dataclass(frozen=True)
class SweepPoint:
    """One checkpoint measured with one value of the option."""

    __pydantic_config__ = DOCUMENTED

    value: str
    """The value, as it was given."""
    options_hash: str
    """Identity of the options with it."""
    step: int | None
    """Training step, null for a checkpoint outside any series."""
    alpha0: Estimate
    """alpha0, mean over samples."""
    width: Estimate
    """Width of the spectrum."""
    emergence: Estimate | None
    """E against the baseline, measured with the same value."""
    excess: dict[str, Excess | None]
    """Excess of alpha0, width and emergence over the null shuffled; empty without nulls."""
    structure: Effect | None
    """The verdict on structure beyond scale: in profile shape, which ignores max_distance and grid."""
    nodes_kept: int
    """Nodes with enough edges in range, summed over samples."""
    nodes_total: int
    """Nodes there are."""
    flags: list[str]
    """What makes these numbers doubtful, by name."""

    @classmethod
    def of(cls, point: CurvePoint, *, value: str, options_hash: str) -> "SweepPoint":
        """Take the numbers of one step of a curve that was measured with a value."""
        return cls(
            value=value,
            options_hash=options_hash,
            step=point.step,
            alpha0=point.alpha0,
            width=point.width,
            emergence=point.emergence,
            excess=_excess(point),
            structure=point.verdict.structure if point.verdict else None,
            nodes_kept=point.nodes.kept,
            nodes_total=point.nodes.total,
            flags=point.flags,
        )


@dataclass(frozen=True)
class FailedValue:
    """A value, or a step of one, with which there are no numbers."""

    __pydantic_config__ = DOCUMENTED

    value: str
    """The value, as it was given."""
    step: int | None
    """The step; null for all of them, or for a checkpoint without one."""
    sentence: str
    """Why there are no numbers."""


@dataclass(frozen=True)
class Sweep:
    """How the numbers of a series depend on one option."""

    __pydantic_config__ = DOCUMENTED

    series: str
    """Id of the model."""
    option: str
    """Name of the option."""
    values: list[str]
    """Its values, as they were given."""
    options: AnalysisOptions
    """All other options."""
    points: list[SweepPoint]
    """By value, then by step."""
    failed: list[FailedValue] = field(default_factory=list)
    """Values and steps without numbers."""


@dataclass(frozen=True)
class Sweeping:
    """What is to be swept: an option and the values in words."""

    option: str
    values: tuple[str, ...]


def sweeping_from(text: str) -> Sweeping:
    """Return what a text such as ``nodes=16,32,64`` asks for; `OptionError` says what is wrong with it."""
    option, _, told = text.partition("=")
    option, values = option.strip().replace("-", "_"), tuple(value.strip() for value in told.split(","))
    if option not in SWEPT:
        raise OptionError(f"a sweep is name=value,value..., of one of {', '.join(SWEPT)}, not {text!r}")
    if not FEWEST_VALUES <= len(values) <= MOST_VALUES or "" in values or len(set(values)) < len(values):
        raise OptionError(
            f"a sweep of {option} takes {FEWEST_VALUES} to {MOST_VALUES} different values with commas, not {told!r}"
        )
    return Sweeping(option, values)


def swept_options(options: AnalysisOptions, asked: Sweeping) -> dict[str, AnalysisOptions]:
    """Return the options for every value; `OptionError` for a value that the option may not hold."""
    declared, plain = _declared(asked.option), options.as_json()
    return {
        value: AnalysisOptions.from_json(plain | {asked.option: _typed(declared, value)})
        for value in asked.values
    }


def value_of(options: AnalysisOptions, option: str) -> str:
    """Return the value that options hold for one of `SWEPT`, as people write it."""
    value, none = options.as_json()[option], _declared(option).mark(NoneMeans)
    return none.word if none is not None and value is None else str(value).removesuffix(".0")


def _declared(option: str) -> Declared:
    return next(one for one in fields_of(AnalysisOptions).values() if one.alias == option)


def _typed(declared: Declared, value: str) -> Any:
    """Return a word as a value of the option's type; what is no such value stays as it is, and is refused later."""
    none = declared.mark(NoneMeans)
    if none is not None and value == none.word:
        return None
    kind: Callable[[str], Any] = declared.kind if declared.kind in (int, float) else str
    try:
        return kind(value)
    except ValueError:
        return value


def sweep(
    series: "CheckpointSeries",
    options: AnalysisOptions,
    asked: Sweeping,
    *,
    steps: str = "all",
    executor: Executor | None = None,
    progress: "Progress | None" = None,
) -> Sweep:
    """Measure a series with every value of an option; the baseline is measured with the same value each time.

    Raises
    ------
    OptionError : a value that the option may not hold
    AnalysisError : there are no numbers with any value
    """
    from neuromfa.analysis import analyze  # here: who reads stored sweeps needs no checkpoints

    points: list[SweepPoint] = []
    failed: list[FailedValue] = []
    for value, own in swept_options(options, asked).items():
        told = None if progress is None else _naming(progress, f"{asked.option} {value}")
        try:
            result = analyze(series, own, steps=steps, executor=executor, progress=told)
        except AnalysisError as error:
            failed.append(FailedValue(value, None, str(error)))
            continue
        points += _points(result, value)
        failed += [FailedValue(value, one.step, one.sentence) for one in result.failed]
    if not points:
        raise AnalysisError(f"no value of {asked.option} gives numbers; the first: {failed[0].sentence}")
    return Sweep(series.id, asked.option, list(asked.values), options, points, failed)


def _naming(progress: "Progress", name: str) -> "Progress":
    return lambda done, total, doing: progress(done, total, f"{name}, {doing}")


def _points(result: SeriesResult, value: str) -> Iterator[SweepPoint]:
    own = options_hash(result.options)
    for one in result.checkpoints:
        yield SweepPoint.of(CurvePoint.of(one), value=value, options_hash=own)


def _excess(result: CurvePoint) -> dict[str, Excess | None]:
    over = (result.excess or {}).get("shuffled")
    if over is None:
        return {}
    return {"alpha0": over.alpha0, "width": over.width, "emergence": over.emergence}
