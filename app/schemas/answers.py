"""What exists in REST only; all other answers are the records of the library."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from neuromfa.changes import CurveChanges
from neuromfa.declared import DOCUMENTED
from neuromfa.graph import Analysis, AnalysisRecord, ModelRecord
from neuromfa.results import CurvePoint, FailedCheckpoint
from neuromfa.structure import SeriesVerdict

T = TypeVar("T")


class Listing(BaseModel, Generic[T]):
    """Part of a list."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    items: list[T]
    """This part."""
    next: str | None
    """Cursor of the part that follows, or null."""


class SeriesListing(Listing[T], Generic[T]):
    """Part of what one analysis says over the steps of a series, and which others there are."""

    options_hash: str | None
    """The analysis these items are of; null where there is none."""
    analyses: list[AnalysisRecord]
    """All analyses of the series, the one that is served by default first."""
    failed: list[FailedCheckpoint]
    """Checkpoints of the series that could not be measured when they were last looked at."""


class CurveListing(SeriesListing[CurvePoint]):
    """Part of the numbers of one analysis over the steps of a series, and what the whole series answers."""

    verdict: SeriesVerdict | None
    """Of all steps, also those of other parts; null in results before method version 4."""
    change_points: dict[str, CurveChanges]
    """The steps at which alpha0, width and g take another direction, over all steps."""


@dataclass(frozen=True)
class ModelDetail(ModelRecord):
    """A stored series and every set of options it was measured with."""

    __pydantic_config__ = DOCUMENTED

    analyses: list[Analysis]
    """The one that is served by default first: that with most steps, of those the newest."""


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
