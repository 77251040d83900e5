"""What REST answers where no record of `neuromfa.results` says it already."""

from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from neuromfa.graph import AnalysisRecord, CheckpointRecord, Manifest, ModelRecord
from neuromfa.results import (
    CheckpointResult,
    Coverage,
    EdgeCoverage,
    Estimate,
    NodeCoverage,
    NullMetrics,
    RowDimension,
    SampleResult,
    ScaleMatched,
    Spectrum,
)
from neuromfa.scores import Score

T = TypeVar("T")


class Listing(BaseModel, Generic[T]):
    """Part of a list; `next` is the cursor of the part that follows, or null."""

    model_config = ConfigDict(frozen=True)

    items: list[T]
    next: str | None


@dataclass(frozen=True)
class ModelSummary:
    """A stored series: its id, where its checkpoints come from, and how many there are."""

    id: str
    source: str
    checkpoints: int

    @classmethod
    def of(cls, record: ModelRecord) -> "ModelSummary":
        """Take what a list shows from the store's record."""
        return cls(record.id, record.source, record.checkpoints)


@dataclass(frozen=True)
class Analysis:
    """One set of options the series was measured with; `options_hash` chooses it in other routes."""

    profile: str
    hops: str
    options_hash: str
    options: dict[str, Any]
    checkpoints: int

    @classmethod
    def of(cls, record: AnalysisRecord) -> "Analysis":
        """Take the names of REST from the store's record."""
        options = record.options
        return cls(options.profile, options.hops, record.options_hash, options.as_json(), record.checkpoints)


@dataclass(frozen=True)
class ModelDetail:
    """A stored series and every set of options it was measured with, newest first."""

    id: str
    source: str
    checkpoints: int
    properties: dict[str, Any]
    analyses: list[Analysis]


@dataclass(frozen=True)
class CheckpointSummary:
    """A stored checkpoint: how many results and graphs it has; step is null outside a series."""

    step: int | None
    revision: str
    spectra: int
    samples: int

    @classmethod
    def of(cls, record: CheckpointRecord) -> "CheckpointSummary":
        """Take what a list shows from the store's record."""
        return cls(record.step, record.revision, record.spectra, record.samples)


@dataclass(frozen=True)
class SpectrumAnswer:
    """The spectrum of one checkpoint: means over samples with their bands; the samples where asked for."""

    step: int | None
    revision: str
    analysis_hash: str
    spectrum: Spectrum
    samples: list[SampleResult] | None = None

    @classmethod
    def of(cls, result: CheckpointResult, *, samples: bool = False) -> "SpectrumAnswer":
        """Take the spectrum out of a whole result."""
        return cls(
            result.step,
            result.revision,
            result.analysis_hash,
            result.spectrum,
            result.samples if samples else None,
        )


@dataclass(frozen=True)
class Numbers:
    """The single numbers of one checkpoint, with what has to stand beside them; `samples` counts the seeds."""

    step: int | None
    revision: str
    analysis_hash: str
    alpha0: Estimate
    width: Estimate
    emergence: Estimate | None
    emergence_reason: str | None
    emergence_tie: tuple[float, float] | None
    nulls: dict[str, NullMetrics] | None
    flags: list[str]
    r_squared: dict[str, float | None]
    samples: int
    scale_matched: ScaleMatched | None
    dimensions: list[RowDimension]


@dataclass(frozen=True)
class MetricsAnswer(Numbers):
    """All single numbers of one checkpoint, with its whole coverage and what it scored on benchmarks."""

    coverage: Coverage
    scores: list[Score]

    @classmethod
    def of(cls, result: CheckpointResult, scores: list[Score]) -> "MetricsAnswer":
        """Take the numbers out of a whole result; `scores` are those of this checkpoint."""
        return cls(**_numbers(result), coverage=result.coverage, scores=scores)


@dataclass(frozen=True)
class EmergenceItem(Numbers):
    """One step of a series, with its coverage in short."""

    nodes: NodeCoverage
    edges: EdgeCoverage

    @classmethod
    def of(cls, result: CheckpointResult) -> "EmergenceItem":
        """Take the numbers out of a whole result."""
        return cls(**_numbers(result), nodes=result.coverage.nodes, edges=result.coverage.edges)


@dataclass(frozen=True)
class LayerSummary:
    """One row of a stored graph: kinds of its neurons with their number, and edges to the next row."""

    block: int
    row: str
    whole: bool
    kinds: dict[str, int]
    edges: int
    artificial: bool


@dataclass(frozen=True)
class SampleManifest:
    """What a stored graph says of itself; `beyond` counts the edges that were too long to be written."""

    seed: int
    graph_hash: str
    checksum: str
    nodes: int | None
    architecture: str
    architecture_hash: str
    dtype: str
    row_rule: str
    max_distance: float
    beyond: int
    n_neurons: int
    n_edges: int
    n_layers: int
    measured: bool
    options_hash: str | None
    layers: list[LayerSummary]

    @classmethod
    def of(cls, manifest: Manifest) -> "SampleManifest":
        """Take the public part of the store's manifest."""
        names = [name for name in cls.__annotations__ if name != "layers"]
        layers = [
            LayerSummary(
                shape.block, shape.row, shape.whole, dict(shape.kinds), shape.edges, shape.artificial
            )
            for shape in manifest.layout
        ]
        return cls(**{name: getattr(manifest, name) for name in names}, layers=layers)


@dataclass(frozen=True)
class Alive:
    """The process answers."""

    status: str


@dataclass(frozen=True)
class StoreState:
    """The store behind the service, and the schema it has."""

    engine: str
    schema_version: int
    schema_version_known: int


@dataclass(frozen=True)
class Readiness:
    """The store answers and has our schema; versions of everything that makes numbers."""

    status: str
    store: StoreState
    versions: dict[str, str]


def _numbers(result: CheckpointResult) -> dict[str, Any]:
    """Return the fields of `Numbers` by name."""
    names = [field.name for field in fields(Numbers) if field.name != "samples"]
    return {name: getattr(result, name) for name in names} | {"samples": len(result.samples)}
