"""The queue of ingest jobs, kept in the graph: any worker that reaches the store can take one, and only one gets it.

A worker holds a lease by the server's clock, which a thread of it lengthens, however long a checkpoint takes; a job
whose worker died is taken over once the lease has run out. Ingests are harmless when done twice, so a job may safely
start again.
"""

import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import JobError, NotStored
from neuromfa.graph.access import Page
from neuromfa.graph.connection import Transaction
from neuromfa.graph.store import GraphStore
from neuromfa.identity import canonical_json, content_hash

Status = Literal["queued", "running", "done", "failed", "cancelled"]
OPEN: tuple[Status, ...] = ("queued", "running")
LEASE_MS = 60_000
CANDIDATES = 20
MOST_ATTEMPTS = 3
LARGEST_PAGE = 200
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
    """Checkpoints done."""
    total: int
    """Checkpoints in all; 0 before it was taken."""
    message: str
    """What is under way, or the sentence of a failure."""
    attempts: int
    """How often a worker took it."""
    failed: int
    """Checkpoints that could not be measured, once it is over."""
    priority: int
    """Of jobs that wait, those with a higher one are taken first."""
    cancelling: bool
    """Its worker was asked to stop after the checkpoint under way."""
    created: datetime
    """When it was queued, by the clock of the store."""
    updated: datetime
    """When it last changed, by the clock of the store."""

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

    def put(self, request: Mapping[str, Any]) -> tuple[Job, bool]:
        """Put a request into the queue, unless a job that asks for the same waits or runs.

        Returns
        -------
        job, new : the job, and False where it was there
        """
        id, text, identity = uuid.uuid4().hex, canonical_json(request), _identity(request)
        priority = request.get(PRIORITY, 0)

        def work(transaction: Transaction) -> dict[str, Any]:
            # the counter is locked first: of two that ask for the same at once, the second finds the first's job
            serial = transaction.rows("write/next_number", counter="job")[0]["number"]
            found = transaction.rows("read/open_job_of", identity=identity)
            told = {"request": text, "identity": identity, "priority": priority, "serial": serial}
            return (found or transaction.rows("write/enqueue_job", id=id, **told))[0]

        job = _job(self._store.write(work))
        return job, job.id == id

    def claim(self, worker: str) -> Job | None:
        """Take the most urgent job, then the one that waits longest; also one whose worker is gone. None without any.

        A job that was taken `MOST_ATTEMPTS` times and never ended is set to failed instead: something about it
        ends its workers.

        Parameters
        ----------
        worker : a name no other worker has
        """
        rows = self._store.read(lambda transaction: transaction.rows("read/claimable_jobs", limit=CANDIDATES))
        for row in rows:
            taken = self._take(row["id"], worker)
            if taken is not None and taken.attempts <= MOST_ATTEMPTS:
                return taken
            if taken is not None:
                sentence = f"given up: it was taken {MOST_ATTEMPTS} times and each time its worker was lost"
                self.finish(taken, worker, "failed", message=sentence)
        return None

    def _take(self, id: str, worker: str) -> Job | None:
        """Claim one job; a claim whose answer was lost is found again as ours."""

        def work(transaction: Transaction) -> dict[str, Any] | None:
            taken = transaction.one("write/claim_job", id=id, worker=worker, lease_ms=self._lease_ms)
            if taken is not None:
                return taken
            found = transaction.one("read/job", id=id)
            ours = found is not None and (found["job"]["worker"], found["job"]["status"]) == (
                worker,
                "running",
            )
            return found if ours else None

        row = self._store.write(work)
        return _job(row) if row else None

    def report(self, job: Job, worker: str, *, done: int, total: int, message: str) -> Job:
        """Tell how far a job is and keep its lease; `cancelling` of the answer says whether to stop.

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
        """End a job this worker holds; `JobError` when another has it by now.

        Parameters
        ----------
        failed : checkpoints that could not be measured
        """
        return self._held("end_job", job, worker, status=status, message=message, failed=failed)

    def release(self, job: Job, worker: str) -> Job:
        """Put a job back at its place, for a worker that stops before it is done."""
        return self._held("release_job", job, worker)

    def cancel(self, id: str) -> Job:
        """End a job that waits, or ask a running one to stop after its checkpoint; return it as it is now."""
        return self._write("cancel_job", id=id) or self._raise_missing(id)

    def retry(self, id: str) -> Job:
        """Queue a job that is over again: the rest of one that failed or was cancelled, or what of it failed.

        Raises
        ------
        NotStored : there is no such job
        JobError : it waits or runs, or nothing of it failed; or another job that asks for the same is open
        """
        before = self.job(id)
        request = before.request | ({RETRY_FAILED: True} if before.status == "done" else {})
        told = {"request": canonical_json(request), "identity": _identity(request)}

        def work(transaction: Transaction) -> dict[str, Any] | None:
            serial = transaction.rows("write/next_number", counter="job")[0]["number"]
            other = transaction.one("read/open_job_of", identity=told["identity"])
            if other is not None:
                return other
            return transaction.one("write/retry_job", id=id, serial=serial, **told)

        row = self._store.write(work)
        if row is None:
            state = "none of its checkpoints failed" if before.status == "done" else f"it is {before.status}"
            raise JobError(f"job {id} cannot be tried again: {state}")
        again = _job(row)
        if again.id != id or before.is_open:
            raise JobError(f"job {id} cannot be tried again: job {again.id} does that and is {again.status}")
        return again

    def job(self, id: str) -> Job:
        """Return one job; `NotStored` without it."""
        row = self._store.read(lambda transaction: transaction.one("read/job", id=id))
        return _job(row) if row else self._raise_missing(id)

    def jobs(
        self, *, status: Status | None = None, limit: int = LARGEST_PAGE, cursor: str | None = None
    ) -> Page[Job]:
        """Return a page of the jobs, the newest first."""
        size = min(max(limit, 1), LARGEST_PAGE)
        before = int(cursor) if cursor and cursor.isdecimal() else AFTER_ALL
        rows = self._store.read(
            lambda transaction: transaction.rows("read/jobs", before=before, status=status, limit=size + 1)
        )
        items = [_job(row) for row in rows[:size]]
        return Page(items, str(items[-1].serial) if len(rows) > size else None)

    def _held(self, name: str, job: Job, worker: str, **parameters: Any) -> Job:
        changed = self._write(name, id=job.id, worker=worker, **parameters)
        if changed is None:
            raise JobError(f"job {job.id} was taken over by another worker; this one stops working on it")
        return changed

    def _write(self, name: str, **parameters: Any) -> Job | None:
        row = self._store.write(lambda transaction: transaction.one(f"write/{name}", **parameters))
        return _job(row) if row else None

    def _raise_missing(self, id: str) -> Job:
        raise NotStored(f"there is no job {id}; `neuromfa ingest --detach` makes one")


def _identity(request: Mapping[str, Any]) -> str:
    """Return the hash of what a request asks for, however urgent it is."""
    return content_hash({name: value for name, value in request.items() if name != PRIORITY})


def _job(row: dict[str, Any]) -> Job:
    # jobs that an older version queued have neither priority nor failed
    found = {PRIORITY: 0, "failed": 0} | row["job"]
    values = {each.name: found[each.name] for each in fields(Job)}
    created, updated = (datetime.fromtimestamp(values[name] / 1000, UTC) for name in ("created", "updated"))
    return Job(**values | {"request": _request(values["request"]), "created": created, "updated": updated})


def _request(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {}
