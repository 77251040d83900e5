"""A series as pages and reports show it, wherever its numbers come from: the store, or an analysis just made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from neuromfa.comparison import Source
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointNumbers, CheckpointResult, FailedCheckpoint
from neuromfa.scores import Score
from neuromfa.structure import SeriesVerdict, Step


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One analysis of a series.

    Attributes
    ----------
    id : what it is called
    points : its numbers by step, one at least
    whole : whole results of the steps where they are at hand
    found : checkpoints there are, those without numbers among them
    """

    id: str
    options: AnalysisOptions
    options_hash: str
    points: Sequence[CheckpointNumbers]
    whole: Mapping[Step, CheckpointResult] = field(default_factory=dict)
    scores: Sequence[Score] = ()
    verdict: SeriesVerdict | None = None
    failed: Sequence[FailedCheckpoint] = ()
    found: int = 0

    @property
    def source(self) -> Source:
        """The same as a part of a comparison."""
        return Source(self.id, self.options, self.points, self.whole)
