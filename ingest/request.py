"""What an ingest is asked for: declared once for command line, REST, the queue and the library."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from neuromfa.declared import DOCUMENTED, Allowed, NoneMeans, adapter, checked, sentence
from neuromfa.errors import OptionError
from neuromfa.model_id import check_model_id
from neuromfa.options import MOST_SAMPLES, AnalysisOptions

if TYPE_CHECKING:
    from neuromfa.checkpoints import CheckpointSeries

Steps = Annotated[
    str,
    Field(max_length=5000, pattern=r"^(all|paper|[0-9]{1,15}( ?, ?[0-9]{1,15})*)$"),
    Allowed("all, paper, or steps such as 0,512"),
]
Id = Annotated[str | None, Field(min_length=1, max_length=200), Allowed("1 to 200 characters")]


@dataclass(frozen=True, kw_only=True)
class IngestRequest:
    """What to read, how to measure it, and how many samples' graphs to keep."""

    # made at once: FastAPI keeps pydantic's warning about its own names of bodies quiet only while it makes a route
    __pydantic_config__ = DOCUMENTED | ConfigDict(extra="forbid", defer_build=False)

    source: Annotated[str, Field(min_length=1, max_length=1000), Allowed("1 to 1000 characters")]
    """Folder of step folders, one checkpoint folder, hub repository id, or fsspec URL."""
    steps: Steps = "all"
    """all, paper, or steps such as 0,512."""
    revision: Id = None
    """One revision of a hub repository."""
    naming: Annotated[str | None, Field(min_length=1, max_length=200), Allowed("1 to 200 characters")] = None
    """How the step stands in names of folders, branches and tags, such as {step}-tokens{tokens}; * is any text."""
    model_id: Id = None
    """Name to keep the series under; a local folder's is its own name."""
    architecture: Path | None = None
    """Your own architecture file (docs/architectures.md), or the name of a bundled one."""
    download: bool = False
    """Fetch whole remote files instead of sampled ranges."""
    options: AnalysisOptions = field(default_factory=AnalysisOptions)
    """How to measure."""
    graph_samples: Annotated[int | None, Field(ge=0, le=MOST_SAMPLES), NoneMeans("all")] = 1
    """Samples whose graph is written, per checkpoint; null (all) writes every one."""
    keep_old: bool = False
    """Keep results and graphs of older versions of the method that this ingest replaces."""
    same_run: bool = False
    """The source is the run that the stored model of this name came from, in another place."""
    strict: bool = False
    """Stop at the first checkpoint that cannot be measured."""
    retry_failed: bool = False
    """Only those of the steps that failed before."""
    priority: Annotated[int, Field(ge=-100, le=100), Allowed("-100..100")] = 0
    """Of jobs that wait, those with a higher one are taken first."""
    rehash: bool = False
    """Read every checkpoint again, also where its files look as they did when it was stored."""
    measure_again: bool = False
    """Measure every checkpoint again and put each result in the place of the one of its name, which an older program
    may have kept with less in it; graphs stay."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.name != "options":
                object.__setattr__(
                    self, each.name, checked(IngestRequest, each.name, getattr(self, each.name))
                )

        if self.model_id is not None:
            check_model_id(self.model_id)

    def open(self, *, follow_links: bool = False) -> "CheckpointSeries":
        """Open the series; any `SourceError` names what is wrong with it.

        Parameters
        ----------
        follow_links : follow links that lead out of a local folder: for a person's own folders, never in a job
        """
        from neuromfa.checkpoints import open_series

        return open_series(
            self.source,
            revision=self.revision,
            model_id=self.model_id,
            architecture=self.architecture,
            download=self.download,
            naming=self.naming,
            follow_links=follow_links,
        )

    @property
    def graphs_per_checkpoint(self) -> int:
        """Number of graphs each checkpoint keeps."""
        n_seeds = len(self.options.seeds)
        return n_seeds if self.graph_samples is None else min(self.graph_samples, n_seeds)

    @property
    def reads_all(self) -> bool:
        """True where no checkpoint is passed over because its files look as they did."""
        return self.rehash or self.measure_again

    def as_json(self) -> dict[str, Any]:
        """Return plain values, as the queue keeps them."""
        values: dict[str, Any] = adapter(IngestRequest).dump_python(self, mode="json", by_alias=True)
        return values

    @classmethod
    def from_json(cls, values: Any) -> "IngestRequest":
        """Build from what `as_json` gave; `OptionError` for anything else."""
        try:
            built: IngestRequest = adapter(cls).validate_python(values)
        except ValidationError as error:
            raise OptionError(
                f"the job's request is of another version of this program: {sentence(error)}"
            ) from None
        return built
