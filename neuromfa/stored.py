"""Records of what a store holds, for whoever reads one: through the database, or over REST without its driver."""

from dataclasses import dataclass
from typing import Any, Literal

from neuromfa.declared import DOCUMENTED
from neuromfa.options import AnalysisOptions


@dataclass(frozen=True)
class ModelRecord:
    """A stored series."""

    __pydantic_config__ = DOCUMENTED

    id: str
    """Id, in routes with its slashes written --."""
    source: str
    """Where its checkpoints come from, as a person named it."""
    properties: dict[str, Any]
    """What else was said of it."""
    checkpoints: int
    """Number of its checkpoints."""


@dataclass(frozen=True)
class CheckpointRecord:
    """A stored checkpoint."""

    __pydantic_config__ = DOCUMENTED

    model: str
    """Id of its series."""
    step: int | None
    """Training step, null for a checkpoint outside any series."""
    revision: str
    """Commit of a hub checkpoint, name of a local step folder."""
    spectra: int
    """Results it has."""
    samples: int
    """Complete graphs it has."""
    status: Literal["measured", "failed"]
    """What became of it when it was last looked at."""
    error: str | None
    """Kind of the error, where it failed."""
    sentence: str | None
    """What was wrong with it and what to do, where it failed."""


@dataclass(frozen=True)
class AnalysisRecord:
    """One set of options a series was measured with, under one version of the method."""

    __pydantic_config__ = DOCUMENTED

    options_hash: str
    """Identity of the options under that version; its beginning chooses the analysis in routes."""
    method_version: int
    """Version of the method that gave the numbers."""
    profile: str
    """Profile of the analysis."""
    hops: str
    """Direct edges (1), or paths of several hops (multi)."""
    baseline: str
    """What E was measured against."""
    checkpoints: int
    """Checkpoints that have a result of it."""

    @property
    def words(self) -> str:
        """What chooses it, in words."""
        return (
            f"profile={self.profile}, hops={self.hops}, baseline={self.baseline}, "
            f"options={self.options_hash[:8]} (method version {self.method_version}, {self.checkpoints} steps)"
        )


@dataclass(frozen=True)
class Analysis(AnalysisRecord):
    """The same with all of its options."""

    options: AnalysisOptions
    """What was measured and how."""
