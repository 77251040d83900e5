"""The first page: every series in a line, with what it answers and how far it is.

However many series there are, a look takes a handful of queries: what a line shows of the numbers is kept under their
names, and read again where these are others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from neuromfa.app.drawing import spark
from neuromfa.app.memory.curve_memory import read_points
from neuromfa.app.memory.held_answers import Held
from neuromfa.app.pages.curves import axis_of, effect_panel, measure_panel, positions_of
from neuromfa.beyond_scale import series_verdict
from neuromfa.graph import Analysis, GraphStore, ModelRecord
from neuromfa.graph.access import LARGEST_PAGE
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.graph.several_series import NamedPoint, analyses_of, failed_of, points_of
from neuromfa.graph.stored_results import first_fitting
from neuromfa.identity import content_hash
from neuromfa.model_id import FALLBACK
from neuromfa.results import CurvePoint
from neuromfa.structure import SeriesVerdict

Sort = Literal["name", "verdict", "effect", "steps", "change"]
SORTS: tuple[Sort, ...] = ("name", "verdict", "effect", "steps", "change")
ORDER = {"yes": 0, "undecided": 1, "no": 2, None: 3}
MOST_JOBS = 200
LINES_BYTES = 4 * 2**20
MEASURED_BYTES = 3000


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a line shows of the numbers of a series.

    Attributes
    ----------
    flags : of any step
    effect, emergence : drawn over the steps
    """

    verdict: SeriesVerdict | None
    flags: tuple[str, ...]
    effect: str
    emergence: str

    @property
    def n_bytes(self) -> int:
        """About how much it takes."""
        return MEASURED_BYTES + len(self.effect) + len(self.emergence)

    @classmethod
    def of(cls, points: Sequence[CurvePoint], analysis: Analysis) -> "Measured":
        """Draw the numbers of an analysis."""
        verdict = series_verdict(points, analysis.options)
        places, axis = positions_of(points, "log"), axis_of(points, "log")
        return cls(
            verdict=verdict,
            flags=tuple(dict.fromkeys(flag for point in points for flag in point.flags)),
            effect=spark.draw(effect_panel(points, verdict, places), axis),
            emergence=spark.draw(measure_panel(points, places, "emergence", "E", ""), axis),
        )


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One series as it stands in the store, its numbers by name alone.

    Attributes
    ----------
    analysis : the one that is shown, None where nothing is measured yet
    points : of that analysis, by step
    failed : how many checkpoints could not be measured when they were last looked at
    """

    model: ModelRecord
    analysis: Analysis | None
    points: Sequence[NamedPoint]
    failed: int

    @property
    def identity(self) -> str:
        """What changes when anything does that the page shows of it."""
        return f"{self.model} {self.failed} {self.numbers}"

    @cached_property
    def numbers(self) -> str:
        """What its numbers are known by."""
        analysis = self.analysis.options_hash if self.analysis else None
        return content_hash([analysis, *(one.name for one in self.points)])


@dataclass(frozen=True, kw_only=True)
class Row:
    """One series.

    Attributes
    ----------
    measured : None where nothing of it is measured yet
    job : the newest job that names it, or None
    """

    listed: Listed
    measured: Measured | None
    job: Job | None

    @property
    def id(self) -> str:
        """Id of the model."""
        return self.listed.model.id

    @property
    def verdict(self) -> SeriesVerdict | None:
        """What the series answers."""
        return self.measured.verdict if self.measured else None

    @property
    def answer(self) -> str | None:
        """The answer of its verdict."""
        return self.verdict.answer if self.verdict else None

    @property
    def g2(self) -> float | None:
        """The effect of its last step."""
        return self.verdict.g2 if self.verdict else None

    @property
    def n_measured(self) -> int:
        """Steps that have numbers."""
        return len(self.listed.points)

    @property
    def found(self) -> int:
        """Checkpoints that were found so far."""
        return max(self.listed.model.checkpoints, self.n_measured + self.listed.failed)

    @property
    def changed(self) -> datetime | None:
        """When its newest job last changed."""
        return self.job.updated if self.job else None


@dataclass(frozen=True, kw_only=True)
class Found:
    """All series of a store that fit a search, and the newest jobs, as they stand in it."""

    series: Sequence[Listed]
    jobs: Sequence[Job]

    @property
    def identity(self) -> list[str]:
        """What changes when anything does that the page shows."""
        told = [f"{job.id} {job.updated} {job.done}" for job in self.jobs]
        return [*told, *(one.identity for one in self.series)]

    @property
    def waiting(self) -> list[Job]:
        """Jobs that wait or run for series that are not stored yet."""
        ids = {one.model.id for one in self.series}
        return [job for job in self.jobs if job.is_open and model_of(job) not in ids]


def found(store: GraphStore, *, q: str = "") -> Found:
    """Return all series whose id or source holds a text."""
    models = [model for model in _models(store) if q.lower() in f"{model.id} {model.source}".lower()]
    return Found(series=_listed(store, models), jobs=JobQueue(store).jobs(limit=MOST_JOBS).items)


def _listed(store: GraphStore, models: Sequence[ModelRecord]) -> list[Listed]:
    ids = [model.id for model in models]
    analyses, failed = analyses_of(store, ids), failed_of(store, ids)
    shown = {id: first_fitting(analyses[id]) for id in ids}
    points = points_of(store, {id: one.options_hash for id, one in shown.items() if one})
    return [
        Listed(
            model=model,
            analysis=shown[model.id],
            points=points.get(model.id, ()),
            failed=failed.get(model.id, 0),
        )
        for model in models
    ]


class OverviewMemory:
    """What lines show of numbers, by the names of these; what was not asked for longest goes."""

    def __init__(self) -> None:
        self._kept: Held[Measured] = Held(max_bytes=LINES_BYTES)

    def of(self, store: GraphStore, listed: Listed) -> Measured | None:
        """Return what a line shows; the store is asked only for numbers that are not known yet."""
        if listed.analysis is None:
            return None
        known = self._kept.get(listed.numbers)
        if known is None:
            points = [point for _, point in read_points(store, listed.points)]
            known = Measured.of(points, listed.analysis)
            self._kept.keep(listed.numbers, known)
        return known


def rows(store: GraphStore, found: Found, *, memory: OverviewMemory, sort: Sort = "name") -> list[Row]:
    """Return a line for every series, in an order."""
    newest = _newest_jobs(found.jobs)
    lines = (
        Row(listed=one, measured=memory.of(store, one), job=newest.get(one.model.id)) for one in found.series
    )
    return sorted(lines, key=KEYS[sort])


def known_ids(store: GraphStore) -> list[str]:
    """Return the ids of all series."""
    return [model.id for model in _models(store)]


def _models(store: GraphStore) -> list[ModelRecord]:
    models: list[ModelRecord] = []
    cursor: str | None = None
    while True:
        page = store.models(limit=LARGEST_PAGE, cursor=cursor)
        models += page.items
        cursor = page.next
        if cursor is None:
            return models


def _newest_jobs(jobs: Sequence[Job]) -> dict[str, Job]:
    """Return the newest job of every series; jobs come newest first."""
    found: dict[str, Job] = {}
    for job in jobs:
        found.setdefault(model_of(job), job)
    return found


def model_of(job: Job) -> str:
    """Return the id a job's series is kept under, as far as its request tells it."""
    named = job.model or job.request.get("model_id")
    source = str(job.request.get("source", ""))
    is_path = source.startswith((".", "/")) or "://" in source
    return str(named or (source.rstrip("/").rsplit("/", 1)[-1] if is_path else source) or FALLBACK)


KEYS: Mapping[Sort, Callable[[Row], Any]] = {
    "name": lambda row: row.id,
    "verdict": lambda row: (ORDER[row.answer], row.id),
    "effect": lambda row: (-(row.g2 if row.g2 is not None else float("-inf")), row.id),
    "steps": lambda row: (-row.n_measured, row.id),
    "change": lambda row: (-(row.changed.timestamp() if row.changed else 0.0), row.id),
}
