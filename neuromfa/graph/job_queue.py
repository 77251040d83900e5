"""The queue of ingest jobs, kept in the graph: any worker that reaches the store can work on them.

One worker at a time holds a job itself, for as long as it lists its units and again to end it; in between any number
of them take its units (see `units`). What is held is held by a lease on the server's clock, which a thread of the
worker lengthens; whatever a worker that died held is taken over once the lease has run out. Ingests are harmless when
done twice, so everything may safely start again.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import JobError, NotStored
from neuromfa.graph.access import Page
from neuromfa.graph.connection import Transaction
from neuromfa.graph.store import GraphStore
from neuromfa.graph.units import Counted, UnitCounts, counted, make_units
from neuromfa.identity import canonical_json, content_hash

Status = Literal["queued", "running", "done", "failed", "cancelled"]
OPEN: tuple[Status, ...] = ("queued", "running")
LEASE_MS = 60_000
CANDIDATES = 20
NOT_BEGUN = "not begun: the job was cancelled"
GONE = (
    "the command that ran it ended before it was done; the same command goes on from there, and so does "
    "`neuromfa jobs retry`"
)
MOST_ATTEMPTS = 3
LARGEST_PAGE = 200
GIVEN_UP = f"given up: it was taken {MOST_ATTEMPTS} times and each time its worker was lost"
AFTER_ALL = 2**53
PRIORITY, RETRY_FAILED = "priority", "retry_failed"


@dataclass(frozen=True)
class Job:
    """One job: what was asked for, and how far it is."""

    __pydantic_config__ = DOCUMENTED

    id: str
    """Unique name."""
    serial: int
    """Place in the queue."""
    request: dict[str, Any]
    """What to do, as `IngestRequest` has it; one that another version wrote may be anything."""
    status: Status
    """Whether it waits, runs, or how it ended."""
    done: int
    """Checkpoints that are over, failed and skipped ones among them."""
    total: int
    """Checkpoints in all; 0 before it was taken."""
    message: str
    """What is under way, or the sentence of a failure."""
    attempts: int
    """How often a worker began it."""
    failed: int
    """Checkpoints that could not be measured."""
    units: UnitCounts | None
    """Its units by status; null before a worker has listed them."""
    model: str | None
    """Id of the model it writes; null before a worker has listed its units."""
    in_place: bool
    """Run by the command that asked for it, and by no worker."""
    priority: int
    """Of jobs that wait, those with a higher one are taken first."""
    cancelling: bool
    """Its worker was asked to stop after the checkpoint under way."""
    created: datetime
    """When it was queued, by the clock of the store."""
    updated: datetime
    """When it, or a unit of it, last changed, by the clock of the store."""

    @property
    def is_open(self) -> bool:
        """True while it waits or runs."""
        return self.status in OPEN


class JobQueue:
    """The jobs of one store.

    Parameters
    ----------
    store : an open store
    lease_ms : how long a worker may be silent before another may take its job
    """

    def __init__(self, store: GraphStore, *, lease_ms: int = LEASE_MS) -> None:
        self._store, self._lease_ms = store, lease_ms

    @property
    def lease_s(self) -> float:
        """Seconds a worker may be silent."""
        return self._lease_ms / 1000

    def enqueue(self, request: Mapping[str, Any]) -> Job:
        """Put a request (plain JSON values) into the queue, see `put`."""
        return self.put(request)[0]

    def put(self, request: Mapping[str, Any], *, in_place: str = "") -> tuple[Job, bool]:
        """Put a request into the queue, unless a job that asks for the same waits or runs.

        Parameters
        ----------
        in_place : the worker that holds it from the start and is the only one to work on it; for none, nothing

        Returns
        -------
        job, new : the job, and False where it was there
        """
        id, text, identity = uuid.uuid4().hex, canonical_json(request), _identity(request)
        priority = request.get(PRIORITY, 0)

        def work(transaction: Transaction) -> Job:
            # the counter is locked first: of two that ask for the same at once, the second finds the first's job
            serial = transaction.rows("write/next_number", counter="job")[0]["number"]
            found = transaction.rows("read/open_job_of", identity=identity)
            told = {"request": text, "identity": identity, "priority": priority, "serial": serial}
            told |= {"worker": in_place, "lease_ms": self._lease_ms}
            return _whole(transaction, found or transaction.rows("write/enqueue_job", id=id, **told))[0]

        job = self._store.write(work)
        return job, job.id == id

    def waiting(self) -> list[str]:
        """Return the ids of the jobs that may have something to do: the most urgent first, then the oldest."""
        rows = self._store.read(lambda transaction: transaction.rows("read/claimable_jobs", limit=CANDIDATES))
        return [row["id"] for row in rows]

    def claim(self, worker: str) -> Job | None:
        """Hold the first of the waiting jobs that is to be listed or ended, see `take`."""
        taken = (self.take(id, worker) for id in self.waiting())
        return next((job for job in taken if job is not None), None)

    def take(self, id: str, worker: str) -> Job | None:
        """Hold a job to list its units, or to end it when none is open; None where there is neither to do.

        A job that was held `MOST_ATTEMPTS` times for the one or the other and did not get further is set to failed
        instead: something about it ends its workers.

        Parameters
        ----------
        worker : a name no other worker has
        """

        def work(transaction: Transaction) -> tuple[Job, int] | None:
            # what this worker holds it may hold again: a claim whose answer was lost is repeated by the driver
            row = transaction.one("write/claim_job", id=id, worker=worker, lease_ms=self._lease_ms)
            if row is None:
                return None
            found = row["job"]
            times = found.get("endings", 0) if found.get("listed") else found["attempts"]
            return _whole(transaction, [row])[0], times

        taken = self._store.write(work)
        if taken is None:
            return None
        job, times = taken
        if times > MOST_ATTEMPTS:
            self.finish(job, worker, "failed", message=GIVEN_UP)
            return None
        return job

    def list_units(
        self, job: Job, worker: str, *, model: str, checkpoints: Iterable[tuple[int | None, str]]
    ) -> Job:
        """Make the units of a job this worker holds, once, and let go of it: any worker may take them from now on.

        Parameters
        ----------
        model : what the series is stored under
        checkpoints : step and revision of each
        """
        found = list(checkpoints)

        def work(transaction: Transaction) -> Job | None:
            row = transaction.one("write/list_job", id=job.id, worker=worker, model=model)
            if row is None:
                return None
            make_units(transaction, job.id, found)
            return _whole(transaction, [row])[0]

        return self._mine(job, self._store.write(work))

    def report(self, job: Job, worker: str, *, done: int, total: int, message: str) -> Job:
        """Tell how far a job is that is held, and keep its lease; `cancelling` of the answer says whether to stop.

        Raises
        ------
        JobError : the lease had run out and another worker has the job
        """
        progress = {"done": done, "total": total, "message": message}
        return self._held("renew_job", job, worker, lease_ms=self._lease_ms, **progress)

    def keep(self, job: Job, worker: str) -> Job:
        """Keep the lease of a job and say nothing; raises and answers as `report`."""
        return self._held("keep_job", job, worker, lease_ms=self._lease_ms)

    def finish(self, job: Job, worker: str, status: Status, *, message: str = "", failed: int = 0) -> Job:
        """End a job this worker holds; `JobError` when another has it by now. What of it is open is left out.

        Parameters
        ----------
        failed : checkpoints that could not be measured
        """

        def work(transaction: Transaction) -> Job | None:
            told = {"status": status, "message": message, "failed": failed}
            row = transaction.one("write/end_job", id=job.id, worker=worker, **told)
            if row is None:
                return None
            transaction.rows("write/skip_units", job=job.id, sentence=_left_out(status))
            return _whole(transaction, [row])[0]

        return self._mine(job, self._store.write(work))

    def release(self, job: Job, worker: str) -> Job:
        """Put a job that is held back at its place, for a worker that stops before it is listed."""
        return self._held("release_job", job, worker)

    def leave(self, job: Job) -> Job:
        """Let a job wait again where nobody has a unit of it, for a worker that stops."""
        return self._write("idle_job", id=job.id) or self.job(job.id)

    def note_baseline(self, job: Job, reading: str) -> None:
        """Keep how the baseline of a job was read, for whoever ends it."""
        self._store.write(
            lambda transaction: transaction.rows("write/note_baseline", id=job.id, reading=reading)
        )

    def baseline_reading(self, job: Job) -> str | None:
        """Return what `note_baseline` kept."""
        row = self._store.read(lambda transaction: transaction.one("read/job", id=job.id))
        return row["job"].get("reading") if row else None

    def free(self, job: Job, worker: str) -> None:
        """Let nobody wait for the leases of a worker that is known to be gone."""
        self._store.write(
            lambda transaction: transaction.rows("write/free_worker", job=job.id, worker=worker)
        )

    def holders(self, job: Job) -> set[str]:
        """Return the workers that have a job or units of it, alive or not."""

        def work(transaction: Transaction) -> set[str]:
            rows = [*transaction.rows("read/job", id=job.id), *transaction.rows("read/holders", job=job.id)]
            return {row["job"]["worker"] if "job" in row else row["worker"] for row in rows}

        return self._store.read(work)

    def abandon(self) -> None:
        """Set to failed what a command ran in place that is gone."""
        self._store.write(lambda transaction: transaction.rows("write/abandon_jobs", sentence=GONE))

    def cancel(self, id: str, *, at_once: bool = True) -> Job:
        """End a job nobody works on, or ask for the end within one unit; return it as it is now.

        Parameters
        ----------
        at_once : False leaves the end to a worker that comes for it, who compares what is there
        """

        def work(transaction: Transaction) -> Job | None:
            row = transaction.one("write/cancel_job", id=id, at_once=at_once)
            if row is None:
                return None
            if row["job"]["status"] == "cancelled":
                transaction.rows("write/skip_units", job=id, sentence=NOT_BEGUN)
            return _whole(transaction, [row])[0]

        return self._store.write(work) or self._raise_missing(id)

    def retry(self, id: str) -> Job:
        """Queue a job that is over again: the rest of one that failed or was cancelled, or what of it failed.

        Of a job that has units those are queued that are not done; what one of an earlier version asks for is
        listed once more.

        Raises
        ------
        NotStored : there is no such job
        JobError : it waits or runs, or nothing of it failed; or another job that asks for the same is open
        """
        self.abandon()
        before = self.job(id)
        failed_only = before.status == "done" and before.units is None
        request = before.request | ({RETRY_FAILED: True} if failed_only else {})
        told = {"request": canonical_json(request), "identity": _identity(request)}

        def work(transaction: Transaction) -> Job | None:
            serial = transaction.rows("write/next_number", counter="job")[0]["number"]
            row = transaction.one("read/open_job_of", identity=told["identity"])
            if row is None:
                row = transaction.one("write/retry_job", id=id, serial=serial, **told)
                transaction.rows("write/retry_units", job=id)
            return _whole(transaction, [row])[0] if row else None

        again = self._store.write(work)
        if again is None:
            state = "none of its checkpoints failed" if before.status == "done" else f"it is {before.status}"
            raise JobError(f"job {id} cannot be tried again: {state}")
        if again.id != id or before.is_open:
            raise JobError(f"job {id} cannot be tried again: job {again.id} does that and is {again.status}")
        return again

    def job(self, id: str) -> Job:
        """Return one job; `NotStored` without it."""

        def work(transaction: Transaction) -> Job | None:
            row = transaction.one("read/job", id=id)
            return _whole(transaction, [row])[0] if row else None

        return self._store.read(work) or self._raise_missing(id)

    def jobs(
        self, *, status: Status | None = None, limit: int = LARGEST_PAGE, cursor: str | None = None
    ) -> Page[Job]:
        """Return a page of the jobs, the newest first."""
        size = min(max(limit, 1), LARGEST_PAGE)
        asked = {"before": int(cursor) if cursor and cursor.isdecimal() else AFTER_ALL, "status": status}

        def work(transaction: Transaction) -> tuple[list[Job], bool]:
            rows = transaction.rows("read/jobs", **asked, limit=size + 1)
            return _whole(transaction, rows[:size]), len(rows) > size

        items, more = self._store.read(work)
        return Page(items, str(items[-1].serial) if more else None)

    def _held(self, name: str, job: Job, worker: str, **parameters: Any) -> Job:
        return self._mine(job, self._write(name, id=job.id, worker=worker, **parameters))

    def _mine(self, job: Job, changed: Job | None) -> Job:
        if changed is None:
            raise JobError(f"job {job.id} was taken over by another worker; this one stops working on it")
        return changed

    def _write(self, name: str, **parameters: Any) -> Job | None:
        def work(transaction: Transaction) -> Job | None:
            row = transaction.one(f"write/{name}", **parameters)
            return _whole(transaction, [row])[0] if row else None

        return self._store.write(work)

    def _raise_missing(self, id: str) -> Job:
        raise NotStored(f"there is no job {id}; `neuromfa ingest --detach` makes one")


def _left_out(status: Status) -> str:
    """Return why the units are left out that are open when a job ends."""
    return NOT_BEGUN if status == "cancelled" else "not begun: the job ended before it"


def _identity(request: Mapping[str, Any]) -> str:
    """Return the hash of what a request asks for, however urgent it is."""
    return content_hash({name: value for name, value in request.items() if name != PRIORITY})


def _whole(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> list[Job]:
    """Return jobs with what their units say."""
    found = counted(transaction, [row["job"]["id"] for row in rows])
    return [_job(row["job"], found.get(row["job"]["id"])) for row in rows]


def _job(stored: dict[str, Any], counted: Counted | None) -> Job:
    # jobs that an older version queued have neither priority nor failed, and no units
    found = {PRIORITY: 0, "failed": 0, "in_place": False, "model": None} | stored
    found["units"] = UnitCounts() if found.get("listed") else None
    if counted is not None:
        counts = counted.counts
        found |= {"units": counts, "done": counts.ended, "total": counts.total, "failed": counts.failed}
        found["updated"] = max(found["updated"], counted.updated)
        found["message"] = found["message"] or counted.under_way
    values = {each.name: found[each.name] for each in fields(Job)}
    created, updated = (datetime.fromtimestamp(values[name] / 1000, UTC) for name in ("created", "updated"))
    return Job(**values | {"request": _request(values["request"]), "created": created, "updated": updated})


def _request(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {}
