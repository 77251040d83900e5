"""What exists in REST only; all other answers are the records of the library."""

from dataclasses import dataclass, fields
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from neuromfa.changes import CurveChanges
from neuromfa.declared import DOCUMENTED
from neuromfa.graph import Analysis, AnalysisRecord, ModelRecord
from neuromfa.results import (
    CheckpointResult,
    CurvePoint,
    Estimate,
    FailedCheckpoint,
    SampleResult,
    Spectrum,
)
from neuromfa.structure import SeriesVerdict

T = TypeVar("T")


class Listing(BaseModel, Generic[T]):
    """Part of a list."""

    # meanings stand beside the fields: those below them are read from the source again for every kind of item
    model_config = ConfigDict(frozen=True, defer_build=True)

    items: Annotated[list[T], Field(description="This part.")]
    next: Annotated[str | None, Field(description="Cursor of the part that follows, or null.")]


class SeriesListing(Listing[T], Generic[T]):
    """Part of what one analysis says over the steps of a series, and which others there are."""

    options_hash: Annotated[
        str | None, Field(description="The analysis these items are of; null where there is none.")
    ]
    analyses: Annotated[
        list[AnalysisRecord],
        Field(description="All analyses of the series, the one that is served by default first."),
    ]
    failed: Annotated[
        list[FailedCheckpoint],
        Field(
            description="Checkpoints of the series that could not be measured when they were last looked at."
        ),
    ]


class CurveListing(SeriesListing[CurvePoint]):
    """Part of the numbers of one analysis over the steps of a series, and what the whole series answers."""

    verdict: Annotated[
        SeriesVerdict | None,
        Field(
            description="Of all steps, also those of other parts; null in results before method version 4."
        ),
    ]
    change_points: Annotated[
        dict[str, CurveChanges],
        Field(description="The steps at which alpha0, width and g take another direction, over all steps."),
    ]


@dataclass(frozen=True)
class ModelDetail(ModelRecord):
    """A stored series and every set of options it was measured with."""

    __pydantic_config__ = DOCUMENTED

    analyses: list[Analysis]
    """The one that is served by default first: that with most steps, of those the newest."""


@dataclass(frozen=True, kw_only=True)
class ImmutableResult:
    """What is the same wherever the numbers of one analysis stand; it never changes under the name of the analysis."""

    __pydantic_config__ = DOCUMENTED

    analysis_hash: str
    """Identity of the numbers: method version, graphs, options and baseline."""
    method_version: int
    """Version of the method that gave them."""
    alpha0: Estimate
    """alpha0 = tau'(0), mean over samples."""
    width: Estimate
    """Width of the spectrum, mean over samples."""
    emergence: Estimate | None
    """E = width(t) / width(0) * ln(alpha0(0) / alpha0(t)), from means over samples."""
    emergence_reason: str | None
    """Why there is no E."""
    spectrum: Spectrum
    """Means over samples."""
    samples: list[SampleResult]
    """One record a seed."""

    @classmethod
    def of(cls, result: CheckpointResult) -> "ImmutableResult":
        """Take it out of a whole result."""
        return cls(**{each.name: getattr(result, each.name) for each in fields(cls)})


@dataclass(frozen=True)
class Alive:
    """The process answers."""

    __pydantic_config__ = DOCUMENTED

    status: str
    """alive"""


@dataclass(frozen=True)
class StoreState:
    """The store behind the service."""

    __pydantic_config__ = DOCUMENTED

    engine: str
    """Name and version the server gives itself."""
    schema_version: int
    """Schema it has."""
    schema_version_known: int
    """Schema this program writes."""


@dataclass(frozen=True)
class Readiness:
    """The store answers and has our schema."""

    __pydantic_config__ = DOCUMENTED

    status: str
    """ready"""
    store: StoreState
    """What is behind the service."""
    versions: dict[str, str]
    """Versions of everything that makes numbers."""
