"""What an analysis answers: frozen records whose field names are the JSON names of every output.

The same records are written by ``analyze --json``, kept in the store and served over REST.
A number that could not be had is None with a reason beside it, never NaN.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any, TypeVar

from neuromfa.changes import CurveChanges
from neuromfa.declared import DOCUMENTED, adapter
from neuromfa.matrices import Matrices
from neuromfa.method_version import METHOD_VERSION, UNVERSIONED
from neuromfa.neurons import NeuronChance, NeuronSince
from neuromfa.options import AnalysisOptions
from neuromfa.scores import Score
from neuromfa.structure import Excess, NullExcess, NullValues, SeriesVerdict, Terms, Verdict


@dataclass(frozen=True)
class Estimate:
    """A mean over samples with its interval: 95 % jackknife over seeds, null below 3 samples."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """The mean, without unit; null where there is none."""
    low: float | None
    """Lower end of the interval."""
    high: float | None
    """Upper end of the interval."""
    n: int
    """Samples it is a mean of."""


@dataclass(frozen=True)
class NullMetrics:
    """What a null model gives where the real weights give the plain figures."""

    __pydantic_config__ = DOCUMENTED

    alpha0: Estimate
    """alpha0 of the null's weights."""
    width: Estimate
    """Width of the null's spectrum."""
    emergence: Estimate | None
    """E of the null against its own baseline."""
    reason: str | None = None
    """Why there is no E."""


@dataclass(frozen=True)
class NodeCount:
    """Nodes of one row, summed over samples."""

    __pydantic_config__ = DOCUMENTED

    kept: int
    """Nodes with enough edges in range."""
    total: int
    """Nodes there are."""


@dataclass(frozen=True)
class NodeCoverage:
    """Nodes of the analysis, summed over samples."""

    __pydantic_config__ = DOCUMENTED

    kept: int
    """Nodes with enough edges in range."""
    total: int
    """Nodes there are."""
    by_layer: dict[str, NodeCount]
    """The same by name of the source row."""


@dataclass(frozen=True)
class EdgeCoverage:
    """Edges, summed over samples."""

    __pydantic_config__ = DOCUMENTED

    kept: int
    """Edges in range."""
    dropped: dict[str, int]
    """Edges left out by reason: zero, nan, inf, within_one, beyond_range."""


@dataclass(frozen=True)
class SkippedTensor:
    """A tensor of the checkpoint that takes no part."""

    __pydantic_config__ = DOCUMENTED

    name: str
    """Its name in the checkpoint."""
    reason: str
    """Why it takes no part."""


@dataclass(frozen=True)
class TensorCoverage:
    """Tensors of the checkpoint used and skipped."""

    __pydantic_config__ = DOCUMENTED

    used: list[str]
    """Names of the tensors that were sampled."""
    skipped: list[SkippedTensor]
    """All others."""
    notes: list[str] = field(default_factory=list)
    """How the tensors were found where that is not as usual: the file, the key, what was taken out of names."""
    parameters: int | None = None
    """Numbers in all tensors, without buffers; null in older results."""


@dataclass(frozen=True)
class Coverage:
    """How much of the checkpoint the numbers speak of."""

    __pydantic_config__ = DOCUMENTED

    nodes: NodeCoverage
    """Neurons."""
    edges: EdgeCoverage
    """Weights between sampled neurons."""
    tensors: TensorCoverage
    """Tensors of the files."""


@dataclass(frozen=True)
class Spectrum:
    """The multifractal spectrum, means over samples."""

    __pydantic_config__ = DOCUMENTED

    q: list[float]
    """Moments, n_q values."""
    tau: list[float]
    """Mass exponents at q."""
    tau_low: list[float] | None
    """Lower ends of the 95 % intervals of tau."""
    tau_high: list[float] | None
    """Upper ends of the 95 % intervals of tau."""
    alpha_q: list[float]
    """The q of alpha and f, n_q or n_q - 1 values."""
    alpha: list[float]
    """Lipschitz-Hoelder exponents, slopes of tau at alpha_q."""
    alpha_low: list[float] | None
    """Lower ends of the 95 % intervals of alpha."""
    alpha_high: list[float] | None
    """Upper ends of the 95 % intervals of alpha."""
    f: list[float]
    """f(alpha) at alpha_q."""


@dataclass(frozen=True)
class SampleResult:
    """The numbers of one seed."""

    __pydantic_config__ = DOCUMENTED

    seed: int
    """Seed of the draw of neurons."""
    tau: list[float]
    """Mass exponents at the moments of the analysis."""
    alpha0: float
    """alpha(0) of this sample."""
    alpha0_tie: tuple[float, float]
    """alpha(0) by the slope after and before q = 0."""
    width: float
    """Width of this sample's spectrum."""
    nodes_kept: int
    """Nodes with enough edges in range."""
    nodes_total: int
    """Nodes there are."""
    r_min: int
    """Smallest radius, unit 1/|w|."""
    r_max: int
    """Largest radius, unit 1/|w|."""
    r_squared: dict[str, float | None]
    """Fit of log Z against log r at some moments."""
    graph_hash: str
    """Identity of the sampled graph."""
    dropped_last_rows: int = 0
    """Sources left out near the end of the network (several hops)."""
    nfd_variance: float | None = None
    """Mean over matrices of the variance of the node fractal dimension within each."""
    nulls: dict[str, NullValues] = field(default_factory=dict)
    """The figures of every draw of every null, by null."""


@dataclass(frozen=True)
class RowDimension:
    """Node fractal dimensions of the kept neurons of one row, over all samples."""

    __pydantic_config__ = DOCUMENTED

    row: str
    """Name of the row."""
    n: int
    """Neurons."""
    mean: float
    """Their mean dimension."""
    std: float
    """Their standard deviation."""
    quantiles: list[float]
    """At 5, 25, 50, 75 and 95 %."""


@dataclass(frozen=True)
class ScaleMatched:
    """The reading with all weights divided by rms(t) / rms(baseline); beside the plain figure, never instead."""

    __pydantic_config__ = DOCUMENTED

    rms_ratio: float
    """rms(t) / rms(baseline), mean over samples."""
    alpha0: Estimate
    """alpha0 of the scaled weights."""
    width: Estimate
    """Width of their spectrum."""
    emergence: Estimate | None
    """E against the baseline."""


@dataclass(frozen=True, kw_only=True)
class ShapeNumbers:
    """The single numbers in profile shape, where every matrix is at one scale; means over samples."""

    __pydantic_config__ = DOCUMENTED

    alpha0: Estimate
    """alpha0 in this profile."""
    width: Estimate
    """Width of the spectrum."""
    emergence: Estimate | None
    """E against the baseline in this profile."""
    emergence_reason: str | None
    """Why there is no E."""
    nulls: dict[str, NullMetrics] | None
    """The same numbers of the null models, scaled as the real parts."""
    excess: dict[str, NullExcess] | None
    """Excess over paired draws, by null."""
    r_squared: dict[str, float | None]
    """Fit of log Z against log r at some moments."""
    flags: list[str]
    """What makes these numbers doubtful, by name."""


@dataclass(frozen=True, kw_only=True)
class ShapeResult(ShapeNumbers):
    """All that profile shape says of one checkpoint."""

    spectrum: Spectrum
    """Means over samples."""
    samples: list[SampleResult]
    """One record a seed."""


@dataclass(frozen=True)
class Reading:
    """How a checkpoint was read, and which weights that gave: what tells whether steps are of one run."""

    __pydantic_config__ = DOCUMENTED

    architecture: str
    """Name of the architecture it was read as."""
    architecture_hash: str
    """Identity of how the tensors were read: rows, links, tensors, orientation, heads."""
    dtype: str
    """Number formats of the tensors used, joined by + where there are several."""
    matrices: dict[str, str]
    """Beginning of the sha256 of the weights the first seed took, by tensor."""


@dataclass(frozen=True, kw_only=True)
class CheckpointNumbers:
    """The single numbers of one checkpoint, with what has to stand beside them."""

    __pydantic_config__ = DOCUMENTED

    step: int | None
    """Training step, null for a checkpoint outside any series."""
    revision: str
    """Commit of a hub checkpoint, name of a local step folder."""
    alpha0: Estimate
    """alpha0 = tau'(0), mean over samples."""
    width: Estimate
    """Width of the spectrum, mean over samples."""
    emergence: Estimate | None
    """E = width(t) / width(0) * ln(alpha0(0) / alpha0(t)), from means over samples."""
    emergence_reason: str | None
    """Why there is no E."""
    emergence_tie: tuple[float, float] | None
    """E by the slope after and before q = 0 (profile paper)."""
    nulls: dict[str, NullMetrics] | None
    """The same numbers of the null models by name; null where they were not measured."""
    flags: list[str]
    """What makes these numbers doubtful, by name."""
    flag_notes: dict[str, str] = field(default_factory=dict)
    """What a flag means here, such as which other step has the same weights, by flag."""
    r_squared: dict[str, float | None]
    """Fit of log Z against log r at some moments, mean over samples."""
    analysis_hash: str
    """Identity of the numbers: method version, graphs, options and baseline."""
    dimensions: list[RowDimension] = field(default_factory=list)
    """Node fractal dimensions by row."""
    scale_matched: ScaleMatched | None = None
    """The reading with the growth of the weights divided out, where it was asked for."""
    method_version: int = UNVERSIONED
    """Version of the method that gave the numbers; those of different versions are not compared."""
    excess: dict[str, NullExcess] | None = None
    """Excess over paired draws of a null, by null; null where no nulls were measured."""
    terms: dict[str, Terms] | None = None
    """Where the change of alpha0, width and emergence since the baseline comes from; null without a baseline."""
    shape: ShapeNumbers | None = None
    """The reading in profile shape; null where that is the asked profile."""
    shape_reason: str | None = None
    """Why it is null: asked (it is the profile asked for), not_asked, few_edges."""
    verdict: Verdict | None = None
    """Is there structure that scale does not explain? Null in results before method version 4."""
    tokens: int | None = None
    """Tokens seen until then, where the name of the step tells them."""
    rms: float | None = None
    """Root mean square of the sampled weights, mean over samples; null in older results and without weights."""
    matrices: Matrices | None = None
    """Plain measures of the whole matrices; null where they were not asked for."""
    parameters: int | None = None
    """Numbers in all tensors of the checkpoint, without buffers; null in older results."""
    neurons: NeuronChance | None = None
    """Which neurons depart from chance; null where none were tested."""


@dataclass(frozen=True, kw_only=True)
class CheckpointResult(CheckpointNumbers):
    """All that an analysis says of one checkpoint."""

    shape: ShapeResult | None = None
    """The reading in profile shape; null where that is the asked profile."""

    coverage: Coverage
    """Nodes, edges and tensors that took part, and those that did not."""
    spectrum: Spectrum
    """Means over samples."""
    samples: list[SampleResult]
    """One record a seed."""
    reading: Reading | None = None
    """How it was read; null in results of method version 1 and 2."""


@dataclass(frozen=True)
class FailedCheckpoint:
    """A checkpoint that gave no numbers."""

    __pydantic_config__ = DOCUMENTED

    step: int | None
    """Training step, null for a checkpoint outside any series."""
    revision: str
    """Commit of a hub checkpoint, name of a local step folder."""
    error: str
    """Kind of the error."""
    sentence: str
    """What was wrong, where, and what to do."""


@dataclass(frozen=True, kw_only=True)
class CurvePoint(CheckpointNumbers):
    """One step of a series: its numbers, with coverage in short."""

    nodes: NodeCoverage
    """Neurons the numbers speak of."""
    edges: EdgeCoverage
    """Edges they speak of."""
    samples: int
    """Number of seeds."""

    @classmethod
    def of(cls, result: CheckpointResult) -> "CurvePoint":
        """Take what a curve shows out of a whole result."""
        coverage = result.coverage
        matrices = result.matrices and replace(result.matrices, parts=[])
        shared = _shared(result) | {"excess": _overall(result.excess), "matrices": matrices}
        shared["neurons"] = _counts(result.neurons)
        if result.shape is not None:
            shared["shape"] = replace(_single_numbers(result.shape), excess=_overall(result.shape.excess))
        return cls(nodes=coverage.nodes, edges=coverage.edges, samples=len(result.samples), **shared)


@dataclass(frozen=True, kw_only=True)
class CheckpointMetrics(CheckpointNumbers):
    """All single numbers of one checkpoint, with its whole coverage and what it scored on benchmarks."""

    coverage: Coverage
    """Nodes, edges and tensors that took part, and those that did not."""
    samples: int
    """Number of seeds."""
    scores: list[Score]
    """Benchmark scores of this checkpoint."""

    @classmethod
    def of(cls, result: CheckpointResult, scores: list[Score]) -> "CheckpointMetrics":
        """Take the numbers out of a whole result; `scores` are those of this checkpoint."""
        shared = _shared(result) | {"shape": _single_numbers(result.shape) if result.shape else None}
        return cls(coverage=result.coverage, samples=len(result.samples), scores=scores, **shared)


@dataclass(frozen=True, kw_only=True)
class CheckpointSpectrum:
    """The spectrum of one checkpoint: means over samples with their bands."""

    __pydantic_config__ = DOCUMENTED

    step: int | None
    """Training step, null for a checkpoint outside any series."""
    revision: str
    """Commit of a hub checkpoint, name of a local step folder."""
    analysis_hash: str
    """Identity of the numbers."""
    method_version: int
    """Version of the method that gave them."""
    spectrum: Spectrum
    """Means over samples."""
    samples: list[SampleResult] | None = None
    """One record a seed, where asked for."""

    @classmethod
    def of(cls, result: CheckpointResult, *, samples: bool = False) -> "CheckpointSpectrum":
        """Take the spectrum out of a whole result."""
        values = {each.name: getattr(result, each.name) for each in fields(cls)}
        return cls(**values | {"samples": result.samples if samples else None})


class Shown:
    """Results that show themselves; what draws them is imported when it is asked for, since it stands above."""

    def plot(self, name: str = "emergence") -> Any:
        """Return a chart: spectrum, tau, emergence, alpha0, width or nfd; a notebook shows it, `save` writes it."""
        return _showing().plot_of(self, name)

    def to_frame(self, *, library: Any = None) -> Any:
        """Return one row a checkpoint, as a data frame of pandas or polars, whichever is installed."""
        return _showing().frame_of(self, library=library)

    def _repr_html_(self) -> str:
        text: str = _showing().html_of(self)
        return text


def _showing() -> Any:
    return import_module("neuromfa.shown_series")


@dataclass(frozen=True)
class SeriesResult(Shown):
    """A series of checkpoints, measured with one set of options."""

    __pydantic_config__ = DOCUMENTED

    series: str
    """Id of the model."""
    profile: str
    """Profile of the analysis."""
    options: AnalysisOptions
    """What was measured and how."""
    versions: dict[str, str]
    """Versions of all that numbers depend on."""
    checkpoints: list[CheckpointResult]
    """By step."""
    notes: list[str] = field(default_factory=list)
    """What a reader has to know."""
    method_version: int = METHOD_VERSION
    """Version of the method that gave the numbers."""
    found: int = 0
    """Checkpoints of the chosen steps."""
    measured: int = 0
    """How many of them gave numbers."""
    failed: list[FailedCheckpoint] = field(default_factory=list)
    """The others, each with its sentence."""
    left_out: list[str] = field(default_factory=list)
    """Folders with weights whose names tell no step."""
    verdict: SeriesVerdict | None = None
    """Is there structure that scale does not explain, and since when? Null in results before method version 4."""
    neurons_since: list[NeuronSince] = field(default_factory=list)
    """Since when each neuron departs from chance that does so at the last tested step, the earliest first."""
    change_points: dict[str, CurveChanges] = field(default_factory=dict)
    """The steps at which alpha0, width and g take another direction, by measure."""


REAL = "real"
"""What the weights themselves are called where null models stand beside them."""


def values_by_step(
    results: Iterable[CheckpointNumbers], measure: str, *, model: str = REAL
) -> dict[int, float]:
    """Return `measure` (emergence, alpha0 or width) of the real weights or of a null, by step.

    What a checkpoint has no value of, and checkpoints without a step, are left out.
    """
    values = {}
    for result in results:
        source: Any = result if model == REAL else (result.nulls or {}).get(model)
        estimate: Estimate | None = getattr(source, measure, None)
        if result.step is not None and estimate is not None and estimate.value is not None:
            values[result.step] = estimate.value
    return values


def excess_by_step(results: Iterable[CheckpointNumbers], measure: str) -> dict[int, float]:
    """Return the excess of `measure` (emergence, alpha0 or width) over the null `shuffled`, by step."""
    values = {}
    for result in results:
        over = (result.excess or {}).get("shuffled")
        excess: Excess | None = getattr(over, measure, None)
        if result.step is not None and excess is not None and excess.value is not None:
            values[result.step] = excess.value
    return values


def to_json(record: Any, *, indent: int | None = None) -> str:
    """Return a record of this module as JSON text; floats keep every bit."""
    text: bytes = adapter(type(record)).dump_json(record, indent=indent, by_alias=True)
    return text.decode()


Record = TypeVar("Record")


def from_json(kind: type[Record], text: str | bytes) -> Record:
    """Return the record of type `kind` that `to_json` wrote; a field the text lacks takes its default."""
    record: Record = adapter(kind).validate_json(text)
    return record


def _shared(result: CheckpointResult) -> dict[str, Any]:
    """Return the fields of `CheckpointNumbers` by name."""
    return {each.name: getattr(result, each.name) for each in fields(CheckpointNumbers)}


def _counts(chance: NeuronChance | None) -> NeuronChance | None:
    """Return what a curve shows of neurons against chance: how many."""
    return chance and replace(chance, samples=[replace(one, neurons=[]) for one in chance.samples])


def _single_numbers(shape: ShapeResult) -> ShapeNumbers:
    return ShapeNumbers(**{each.name: getattr(shape, each.name) for each in fields(ShapeNumbers)})


def _overall(excess: dict[str, NullExcess] | None) -> dict[str, NullExcess] | None:
    """Return what a curve shows of an excess: that over all matrices."""
    if excess is None:
        return None
    return {null: replace(one, by_matrix={}, by_block={}) for null, one in excess.items()}
