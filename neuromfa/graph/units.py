"""The units of jobs, one checkpoint each: records that any number of workers take, keep and end, one worker a unit.

A lease by the clock of the store says how long a silent worker keeps a unit; no clock of a worker takes part. Whoever
was taken for dead writes nothing more: every write of a unit proves in its own transaction that it still has the unit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import StoreConflict
from neuromfa.graph.access import Page
from neuromfa.graph.catalog import next_rank, rank_after, rank_of, step_name
from neuromfa.graph.connection import Row, Transaction
from neuromfa.graph.store import GraphStore

UnitStatus = Literal["queued", "running", "done", "failed", "skipped"]
Ended = Literal["done", "failed", "skipped"]
LONGEST_SENTENCE = 2000
MOST_ATTEMPTS = 3
LARGEST_PAGE = 1000
GIVEN_UP = f"given up: it was taken {MOST_ATTEMPTS} times and each time its worker was lost"


@dataclass(frozen=True)
class Unit:
    """One checkpoint of a job."""

    __pydantic_config__ = DOCUMENTED

    id: str
    """Id of the job, then @ and the step."""
    job: str
    """Id of the job."""
    step: int | None
    """Training step, null for a checkpoint outside any series."""
    revision: str
    """Commit of a hub checkpoint, name of a local step folder."""
    status: UnitStatus
    """Whether it waits, runs, or how it ended."""
    attempts: int
    """How many workers took it."""
    worker: str
    """Who has it, or had it last."""
    sentence: str
    """What was wrong with it, or why it was put back or left out; empty where nothing."""
    read_s: float
    """Seconds spent reading weights; 0 of one whose files looked as they did when it was stored."""
    measure_s: float
    """Seconds spent measuring."""
    write_s: float
    """Seconds spent writing numbers and graphs into the store."""
    bytes_read: int
    """Bytes read of its files."""
    edges: int
    """Relationships written."""
    updated: datetime
    """When its status last changed, by the clock of the store."""

    @property
    def given_up(self) -> str:
        """Why nobody should try it again: something about it ends its workers; nothing of one that may be tried."""
        if self.attempts <= MOST_ATTEMPTS:
            return ""
        return f"{GIVEN_UP}; the last one said: {self.sentence}" if self.sentence else GIVEN_UP


@dataclass(frozen=True)
class UnitCounts:
    """How many units of a job there are, by status."""

    __pydantic_config__ = DOCUMENTED

    queued: int = 0
    """That wait for a worker."""
    running: int = 0
    """That a worker has."""
    done: int = 0
    """That are in the store."""
    failed: int = 0
    """That could not be measured."""
    skipped: int = 0
    """That were left out."""

    @property
    def total(self) -> int:
        """All of them; 0 of a job that is not listed yet."""
        return sum(asdict(self).values())

    @property
    def ended(self) -> int:
        """That are over, however they ended."""
        return self.done + self.failed + self.skipped


@dataclass(frozen=True)
class Counted:
    """What the units of one job say together: counts, the last change in ms, and the first step under way."""

    counts: UnitCounts
    updated: int
    under_way: str


class Units:
    """The units of all jobs of one store, for one worker.

    Parameters
    ----------
    store : an open store
    worker : a name no other worker has
    lease_ms : how long the worker may be silent before another may take its units
    """

    def __init__(self, store: GraphStore, worker: str, *, lease_ms: int) -> None:
        self._store, self.worker, self.lease_ms = store, worker, lease_ms

    def claim(self, job: str, *, held: Iterable[str] = ()) -> Unit | None:
        """Take the first free unit of a job; None where none is free at this moment.

        One whose claim was committed and whose answer was lost is found again as ours.

        Parameters
        ----------
        held : ids of those this worker has
        """
        wish, known = {"job": job, "worker": self.worker}, frozenset(held)

        def work(transaction: Transaction) -> Row | None:
            row = transaction.one("write/claim_unit", **wish, lease_ms=self.lease_ms)
            if row is not None:
                return row
            ours = transaction.rows("read/units_of_worker", **wish)
            return next((one for one in ours if one["unit"]["id"] not in known), None)

        row = self._store.write(work)
        return _unit(row["unit"]) if row else None

    def keep(self, ids: Sequence[str]) -> frozenset[str]:
        """Lengthen the leases of units in one statement; return the ids of those that are still ours."""
        told = {"ids": list(ids), "worker": self.worker, "lease_ms": self.lease_ms}
        rows = self._store.write(lambda transaction: transaction.rows("write/keep_units", **told))
        return frozenset(row["id"] for row in rows)

    def fenced(self, id: str) -> AbstractContextManager[None]:
        """Let this thread write nothing in a block unless the unit is ours; `StoreConflict` where it is not."""
        return self._store.fenced(fence_of(id, self.worker))

    def end(self, id: str, status: Ended, *, sentence: str = "", **facts: float | int | bool) -> Unit:
        """End a unit; `StoreConflict` when another worker has it by now.

        Parameters
        ----------
        facts : read_s, measure_s, write_s, bytes_read, edges, lacks_baseline
        """
        told = {"sentence": sentence[:LONGEST_SENTENCE], **facts}
        row = self._store.write(
            lambda transaction: transaction.one(
                "write/end_unit", id=id, worker=self.worker, status=status, facts=told
            )
        )
        if row is None:
            raise lost(id)
        return _unit(row["unit"])

    def release(self, ids: Iterable[str], *, sentence: str = "") -> None:
        """Put units back.

        Parameters
        ----------
        sentence : why; without one the attempt does not count
        """
        told = {"ids": list(ids), "worker": self.worker, "sentence": sentence[:LONGEST_SENTENCE]}
        if told["ids"]:
            self._store.write(lambda transaction: transaction.rows("write/release_units", **told))


def fence_of(id: str, worker: str) -> Callable[[Transaction], None]:
    """Return what proves inside a transaction that a worker has a unit."""

    def fence(transaction: Transaction) -> None:
        if transaction.one("write/fence_unit", id=id, worker=worker) is None:
            raise lost(id)

    return fence


def lost(id: str) -> StoreConflict:
    """Return the error of a worker that was taken for dead."""
    return StoreConflict(f"unit {id} was taken over by another worker; this one writes nothing more of it")


def unit_id(job: str, step: int | None) -> str:
    """Return the id of the unit of one checkpoint."""
    return f"{job}@{step_name(step)}"


def make_units(transaction: Transaction, job: str, checkpoints: Iterable[tuple[int | None, str]]) -> None:
    """Make the units of steps and revisions that are not there yet."""
    units = [
        {"id": unit_id(job, step), "step": step, "rank": rank_of(step), "revision": revision}
        for step, revision in checkpoints
    ]
    if units:
        transaction.rows("write/make_units", job=job, units=units)


def counted(transaction: Transaction, jobs: Sequence[str]) -> Mapping[str, Counted]:
    """Return by job what its units say; a job without any is not among them."""
    by_job: dict[str, list[Row]] = {}
    for row in transaction.rows("read/unit_counts", jobs=list(jobs)):
        by_job.setdefault(row["job"], []).append(row)
    return {job: _counted(rows) for job, rows in by_job.items()}


def _counted(rows: list[Row]) -> Counted:
    counts = UnitCounts(**{row["status"]: row["units"] for row in rows})
    first = next((row["first"] for row in rows if row["status"] == "running"), None)
    under_way = "" if first is None else "the checkpoint" if first < 0 else f"step {first}"
    if counts.running > 1:
        under_way += f" and {counts.running - 1} more"
    return Counted(counts, max(row["updated"] for row in rows), under_way)


def units_of(
    store: GraphStore,
    job: str,
    *,
    status: UnitStatus | None = None,
    limit: int = LARGEST_PAGE,
    cursor: str | None = None,
) -> Page[Unit]:
    """Return a page of the units of a job, by step."""
    size, after = min(max(limit, 1), LARGEST_PAGE), rank_after(cursor)
    rows = store.read(
        lambda transaction: transaction.rows(
            "read/units", job=job, after=after, status=status, limit=size + 1
        )
    )
    return Page([_unit(row["unit"]) for row in rows[:size]], next_rank(rows, size))


def _unit(found: Row) -> Unit:
    values: dict[str, Any] = {each.name: found.get(each.name) for each in fields(Unit)}
    return Unit(**values | {"updated": datetime.fromtimestamp(values["updated"] / 1000, UTC)})
