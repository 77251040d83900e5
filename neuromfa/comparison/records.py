"""What a comparison of several series answers: frozen records whose field names are the JSON names of every output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from neuromfa.declared import DOCUMENTED
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointNumbers, CheckpointResult, SeriesResult
from neuromfa.structure import Effect, SeriesVerdict, Step

By = Literal["step", "tokens", "share"]
Method = Literal["paired", "unpaired", "runs", "sizes"]
Position = float | None

G2, EXCESS, SHUFFLED = "g2", "excess_", "shuffled"
"""The effect of the verdict, the beginning of the measures that are an excess, and the null they are over."""
_FIGURES = ("alpha0", "width", "emergence")
COMPARED = (*_FIGURES, *(f"{EXCESS}{figure}" for figure in _FIGURES), G2)
"""The measures whose difference between two series has an interval."""
MEASURES = (*COMPARED, "g")
"""All measures; g is g2 on another scale, where intervals are not symmetric."""

NO_COMMON_POINT, NO_VALUE, NO_SPREAD, FEW_RUNS = "no_common_point", "no_value", "no_spread", "few_runs"
FEW_SIZES = "few_sizes"
NO_VERDICT = "no_verdict"


@dataclass(frozen=True, eq=False)
class Source:
    """A series that takes part.

    Attributes
    ----------
    id : what it is called; no two have the same
    options : how it was measured
    checkpoints : its numbers, by step
    whole : whole results by step where they are at hand: what tells samples apart, and how the weights were read
    """

    id: str
    options: AnalysisOptions
    checkpoints: Sequence[CheckpointNumbers]
    whole: Mapping[Step, CheckpointResult] = field(default_factory=dict)

    @classmethod
    def of(cls, result: SeriesResult, *, id: str | None = None) -> "Source":
        """Return an analysed series as a source, under its own id unless another is given."""
        whole = {one.step: one for one in result.checkpoints}
        return cls(id or result.series, result.options, result.checkpoints, whole)


@dataclass(frozen=True)
class Group:
    """Series that are runs of the same training, with other seeds: replicates."""

    name: str
    series: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Value:
    """A measure of one checkpoint, with the interval that another choice of neurons would keep to."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """Mean over samples; null where there is none."""
    low: float | None = None
    """Lower end of the 95 % interval, of these weights under another choice of neurons."""
    high: float | None = None
    """Upper end of the same."""
    n: int = 0
    """Samples."""
    reason: str | None = None
    """Why something is missing."""


@dataclass(frozen=True, kw_only=True)
class PlainValue:
    """A plain measure of whole matrices, mean over matrix kinds, each counted once; no sample is taken, so exact."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """Of the weights as they are; null where no kind has one. Of two series first - second."""
    shuffled: float | None
    """Of the same matrices with their entries in random order; null where no kind has one."""
    kinds: int
    """Matrix kinds that have a value."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One checkpoint of a series on the common axis."""

    __pydantic_config__ = DOCUMENTED

    step: Step
    """Training step, null for a checkpoint outside any series."""
    position: Position
    """Where it stands on the axis: step, tokens, or share of training; null where it has no place."""
    values: dict[str, Value]
    """By measure: alpha0, width, emergence, excess_alpha0, excess_width and excess_emergence over shuffled, g2, g."""


@dataclass(frozen=True, kw_only=True)
class SeriesCurve:
    """One series: its verdict, its last numbers and its curve."""

    __pydantic_config__ = DOCUMENTED

    id: str
    """What it is called."""
    profile: str
    """Profile it was measured in."""
    verdict: SeriesVerdict | None
    """Is there structure that scale does not explain, and since when? Null in results before method version 4."""
    last: Point
    """Its last measured checkpoint."""
    curve: list[Point]
    """The checkpoints that have a place on the axis, in its order."""
    matrices: dict[str, PlainValue] | None = None
    """Plain measures of whole matrices at its last measured checkpoint; null where they were not asked for."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How far a measure of the first lies above that of the second."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """First - second."""
    low: float | None = None
    """Lower end of the 95 % interval."""
    high: float | None = None
    """Upper end of the same."""
    se: float | None = None
    """Standard error."""
    df: float | None = None
    """Degrees of freedom of Student's t."""
    p: float | None = None
    """Two-sided p of no difference."""
    method: Method | None = None
    """paired by seed; unpaired (Welch) over samples; runs: Welch over the runs of two groups; sizes: paired by size."""
    n: tuple[int, int] = (0, 0)
    """Samples, runs or sizes of the first and of the second."""
    reason: str | None = None
    """Why something is missing."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two series at the last point of the axis that both have."""

    __pydantic_config__ = DOCUMENTED

    first: str
    """The one series."""
    second: str
    """The other."""
    position: Position
    """The point of the axis; null where both are single checkpoints, or where there is none."""
    steps: tuple[Step, Step] | None
    """Their steps there; null where they have no point in common."""
    structure: Effect
    """Is the structure beyond scale another one? By the rule with the fixed margin, g2 being the difference."""
    p_adjusted: float | None
    """Its p among all pairs of the comparison (Holm); yes holds where this is below .01."""
    differences: dict[str, Difference]
    """By measure, first - second; g has none of its own."""
    matrices: dict[str, PlainValue] | None = None
    """Plain measures of whole matrices over the kinds both have, first - second; null unless both were measured so."""


@dataclass(frozen=True, kw_only=True)
class BetweenRuns:
    """A measure over the runs of a group: what training again with another seed would give."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """Mean over runs."""
    sd: float | None = None
    """Standard deviation between runs."""
    low: float | None = None
    """Lower end of the 95 % interval of the mean, with n - 1 degrees of freedom."""
    high: float | None = None
    """Upper end of the same."""
    n: int = 0
    """Runs that have a value."""
    reason: str | None = None
    """Why something is missing: few_runs below 2 runs."""


@dataclass(frozen=True, kw_only=True)
class GroupValues:
    """Replicates at the last point of the axis that all of them have."""

    __pydantic_config__ = DOCUMENTED

    name: str
    """What the group is called."""
    series: list[str]
    """Its runs that could be measured."""
    position: Position
    """The point of the axis; null where they are single checkpoints, or where there is none."""
    values: dict[str, BetweenRuns]
    """By measure."""


@dataclass(frozen=True, kw_only=True)
class GroupPair:
    """Two groups at the last point of the axis that all their runs have."""

    __pydantic_config__ = DOCUMENTED

    first: str
    """The one group."""
    second: str
    """The other."""
    position: Position
    """The point of the axis; null where there is none."""
    differences: dict[str, Difference]
    """By measure, first - second, by Welch's t test over runs."""


@dataclass(frozen=True, kw_only=True)
class SeriesSize:
    """The last numbers of one series beside its size."""

    __pydantic_config__ = DOCUMENTED

    id: str
    """The series."""
    parameters: int
    """Numbers in all tensors of its last checkpoint, without buffers."""
    step: Step
    """Its last measured step."""
    values: dict[str, Value]
    """By measure."""
    matrices: dict[str, PlainValue] | None = None
    """Plain measures of whole matrices; null where they were not asked for."""


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Whether a measure goes along with size: description, no test."""

    __pydantic_config__ = DOCUMENTED

    rho: float | None
    """Spearman's rank correlation with the number of parameters."""
    n: int
    """Series that have a value."""
    reason: str | None = None
    """Why there is none: few_sizes below 3 different sizes or values."""


@dataclass(frozen=True, kw_only=True)
class BySize:
    """The series by their number of parameters."""

    __pydantic_config__ = DOCUMENTED

    series: list[SeriesSize]
    """Those whose size is known, the smallest first."""
    trends: dict[str, Trend]
    """By measure."""
    matrix_trends: dict[str, Trend] | None = None
    """By plain measure of whole matrices, over the series that have them; null where fewer than two have."""


@dataclass(frozen=True, kw_only=True)
class Deduped:
    """Series trained on a deduplicated corpus, by their names, beside their standard twins."""

    __pydantic_config__ = DOCUMENTED

    pairs: list[tuple[str, str]]
    """Standard and deduplicated."""
    differences: dict[str, Difference]
    """By measure, deduplicated - standard, mean over the pairs (sizes)."""


@dataclass(frozen=True, kw_only=True)
class FailedSeries:
    """A series that gave no numbers."""

    __pydantic_config__ = DOCUMENTED

    id: str
    """What was asked for."""
    error: str
    """Kind of the error."""
    sentence: str
    """What was wrong, where, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several series beside one another."""

    __pydantic_config__ = DOCUMENTED

    by: By
    """What the axis is: step, tokens, or share of training (step / last step)."""
    series: list[SeriesCurve]
    """As they were given."""
    pairs: list[Pair]
    """Every two of them."""
    groups: list[GroupValues]
    """Replicates, as they were named."""
    group_pairs: list[GroupPair]
    """Every two groups."""
    warnings: list[str]
    """In what the series were not measured, or are not made, alike."""
    notes: list[str]
    """What a reader has to know."""
    sentence: str
    """Which hold structure that scale does not explain, and which differ."""
    failed: list[FailedSeries] = field(default_factory=list)
    """The series that gave no numbers."""
    by_size: BySize | None = None
    """The series by their number of parameters; null unless two sizes are known."""
    deduped: Deduped | None = None
    """Twins on the deduplicated corpus beside the standard ones; null where there are none."""
