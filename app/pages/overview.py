"""The first page: every series in a line, with what it answers and how far it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from neuromfa.app.drawing import spark
from neuromfa.app.pages.curves import axis_of, effect_panel, measure_panel, positions_of
from neuromfa.app.pages.series import StoredSeries
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore, ModelRecord
from neuromfa.graph.access import LARGEST_PAGE
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.model_id import FALLBACK

Sort = Literal["name", "verdict", "effect", "steps", "change"]
SORTS: tuple[Sort, ...] = ("name", "verdict", "effect", "steps", "change")
ORDER = {"yes": 0, "undecided": 1, "no": 2, None: 3}
MOST_JOBS = 200


@dataclass(frozen=True, kw_only=True)
class Row:
    """One series.

    Attributes
    ----------
    series : None where nothing of it is measured yet
    job : the newest job that names it, or None
    """

    model: ModelRecord
    series: StoredSeries | None
    failed: int
    flags: tuple[str, ...]
    effect: str
    emergence: str
    job: Job | None

    @property
    def answer(self) -> str | None:
        """The answer of its verdict."""
        return self.series.verdict.answer if self.series and self.series.verdict else None

    @property
    def g2(self) -> float | None:
        """The effect of its last step."""
        return self.series.verdict.g2 if self.series and self.series.verdict else None

    @property
    def measured(self) -> int:
        """Steps that have numbers."""
        return len(self.series.points) if self.series else 0

    @property
    def changed(self) -> datetime | None:
        """When its newest job last changed."""
        return self.job.updated if self.job else None


@dataclass(frozen=True, kw_only=True)
class Found:
    """All series of a store that fit a search, and the newest jobs, as they stand in it.

    Attributes
    ----------
    series : by model; None where nothing of it is measured yet
    """

    series: Sequence[tuple[ModelRecord, StoredSeries | None]]
    jobs: Sequence[Job]

    @property
    def identity(self) -> list[str]:
        """What changes when anything does that the page shows."""
        told = [f"{job.id} {job.updated} {job.done}" for job in self.jobs]
        for model, series in self.series:
            told += series.identity if series else [f"{model}"]
        return told

    @property
    def waiting(self) -> list[Job]:
        """Jobs that wait or run for series that are not stored yet."""
        ids = {model.id for model, _ in self.series}
        return [job for job in self.jobs if job.is_open and model_of(job) not in ids]


def found(store: GraphStore, *, q: str = "") -> Found:
    """Read all series whose id or source holds a text."""
    models = [model for model in _models(store) if q.lower() in f"{model.id} {model.source}".lower()]
    return Found(
        series=[(model, _series(store, model.id)) for model in models],
        jobs=JobQueue(store).jobs(limit=MOST_JOBS).items,
    )


def _series(store: GraphStore, model: str) -> StoredSeries | None:
    try:
        return StoredSeries.read(store, model)
    except NotStored:
        return None


def rows(found: Found, *, sort: Sort = "name") -> list[Row]:
    """Return a line for every series, in an order."""
    newest = _newest_jobs(found.jobs)
    return sorted((_row(model, series, newest) for model, series in found.series), key=KEYS[sort])


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


def _row(model: ModelRecord, series: StoredSeries | None, newest: Mapping[str, Job]) -> Row:
    effect, emergence = _sparks(series) if series else ("", "")
    return Row(
        model=model,
        series=series,
        failed=len(series.failed) if series else 0,
        flags=tuple(dict.fromkeys(flag for point in series.points for flag in point.flags)) if series else (),
        effect=effect,
        emergence=emergence,
        job=newest.get(model.id),
    )


def _sparks(series: StoredSeries) -> tuple[str, str]:
    places = positions_of(series.points, "log")
    axis = axis_of(series.points, "log")
    effect = effect_panel(series.points, series.verdict, places)
    return spark.draw(effect, axis), spark.draw(
        measure_panel(series.points, places, "emergence", "E", ""), axis
    )


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
    "name": lambda row: row.model.id,
    "verdict": lambda row: (ORDER[row.answer], row.model.id),
    "effect": lambda row: (-(row.g2 if row.g2 is not None else float("-inf")), row.model.id),
    "steps": lambda row: (-row.measured, row.model.id),
    "change": lambda row: (-(row.changed.timestamp() if row.changed else 0.0), row.model.id),
}
