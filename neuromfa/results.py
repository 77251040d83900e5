"""What an analysis answers: frozen records whose field names are the JSON names of every output.

The same records are written by ``analyze --json``, kept in the store and served over REST.
A number that could not be had is None with a reason beside it, never NaN.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Estimate:
    """A mean over samples with its interval: 95 % jackknife over seeds, None below 3 samples."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class NullMetrics:
    """What a null model gives where the real weights give the plain figures; `reason` says why one is None."""

    alpha0: Estimate
    width: Estimate
    emergence: Estimate | None
    reason: str | None = None


@dataclass(frozen=True)
class NodeCount:
    """Kept of total nodes."""

    kept: int
    total: int


@dataclass(frozen=True)
class NodeCoverage:
    """Nodes of the analysis summed over samples; `by_layer` is keyed by row name."""

    kept: int
    total: int
    by_layer: dict[str, NodeCount]


@dataclass(frozen=True)
class EdgeCoverage:
    """Edges summed over samples; `dropped` has zero, nan, inf, within_one, beyond_range."""

    kept: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class SkippedTensor:
    """A tensor of the checkpoint that takes no part, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class TensorCoverage:
    """Tensors of the checkpoint used and skipped."""

    used: list[str]
    skipped: list[SkippedTensor]


@dataclass(frozen=True)
class Coverage:
    """How much of the checkpoint the numbers speak of."""

    nodes: NodeCoverage
    edges: EdgeCoverage
    tensors: TensorCoverage


@dataclass(frozen=True)
class Spectrum:
    """Means over samples; q has n_q values, alpha_q (the q of alpha and f) n_q or n_q - 1."""

    q: list[float]
    tau: list[float]
    tau_low: list[float] | None
    tau_high: list[float] | None
    alpha_q: list[float]
    alpha: list[float]
    alpha_low: list[float] | None
    alpha_high: list[float] | None
    f: list[float]


@dataclass(frozen=True)
class SampleResult:
    """One seed. `dropped_last_rows` counts the sources left out near the end of the network (hops multi)."""

    seed: int
    tau: list[float]
    alpha0: float
    alpha0_tie: tuple[float, float]
    width: float
    nodes_kept: int
    nodes_total: int
    r_min: int
    r_max: int
    r_squared: dict[str, float | None]
    graph_hash: str
    dropped_last_rows: int = 0


@dataclass(frozen=True)
class RowDimension:
    """Node fractal dimensions of the kept neurons of one row, over all samples; quantiles at 5, 25, 50, 75, 95 %."""

    row: str
    n: int
    mean: float
    std: float
    quantiles: list[float]


@dataclass(frozen=True)
class CheckpointResult:
    """All that stands beside the numbers of one checkpoint."""

    step: int | None
    revision: str
    alpha0: Estimate
    width: Estimate
    emergence: Estimate | None
    emergence_reason: str | None
    emergence_tie: tuple[float, float] | None
    nulls: dict[str, NullMetrics] | None
    coverage: Coverage
    flags: list[str]
    r_squared: dict[str, float | None]
    spectrum: Spectrum
    samples: list[SampleResult]
    analysis_hash: str
    dimensions: list[RowDimension] = field(default_factory=list)
    scale_matched: "ScaleMatched | None" = None


@dataclass(frozen=True)
class ScaleMatched:
    """The reading with all weights divided by rms(t) / rms(baseline); beside the plain figure, never instead."""

    rms_ratio: float
    alpha0: Estimate
    width: Estimate
    emergence: Estimate | None


@dataclass(frozen=True)
class SeriesResult:
    """A series of checkpoints, measured with one set of options."""

    series: str
    profile: str
    options: dict[str, Any]
    versions: dict[str, str]
    checkpoints: list[CheckpointResult]
    notes: list[str] = field(default_factory=list)


REAL = "real"
"""What the weights themselves are called where null models stand beside them."""


def values_by_step(
    results: Iterable[CheckpointResult], measure: str, *, model: str = REAL
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


def to_json(record: Any, *, indent: int | None = None) -> str:
    """Return a record of this module as JSON text."""
    return TypeAdapter(type(record)).dump_json(record, indent=indent).decode()


Record = TypeVar("Record")


def from_json(kind: type[Record], text: str | bytes) -> Record:
    """Return the record of type `kind` that `to_json` wrote."""
    return TypeAdapter(kind).validate_json(text)
