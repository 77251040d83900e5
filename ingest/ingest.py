"""One ingest: measure every checkpoint, write its spectra and the graphs of its first samples, skip what is stored.

It is a job like those of the queue, run in place: by the process that asks for it, and listed like any other.
"""

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field

from neuromfa.analysis import sentence_of
from neuromfa.errors import JobError, StoreError
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.graph.units import Units
from neuromfa.ingest.heartbeat import Heartbeat
from neuromfa.ingest.job_run import JobRun, Report, Tally, opened, silent
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import worker_name
from neuromfa.results import FailedCheckpoint

LEASE_MS = 20_000
LOOK_S = 0.3
INTERRUPTED = "interrupted; the same command goes on from there"


@dataclass(frozen=True)
class IngestSummary:
    """What an ingest did: checkpoints done, of how many, and the objects written (others stood there already).

    `replaced` counts results and graphs of older versions of the method that were dropped for new ones; `failed` are
    the checkpoints that could not be measured, which count as done; `recognised` those that were not read, as their
    files look as they did when they were stored; `bytes_read` what was read of the others, without the baseline.
    Where another process asked for the same at the same time, the two shared the checkpoints: `checkpoints` and
    `total` speak of all, the rest of this one's.
    """

    model: str
    checkpoints: int
    total: int
    spectra_written: int
    graphs_written: int
    edges_written: int
    replaced: int = 0
    failed: list[FailedCheckpoint] = field(default_factory=list)
    recognised: int = 0
    bytes_read: int = 0

    @property
    def nothing_new(self) -> bool:
        """True when everything stood in the store already."""
        return self.spectra_written == self.graphs_written == len(self.failed) == 0

    @property
    def stopped(self) -> bool:
        """True when it was told to stop before the end."""
        return self.checkpoints < self.total


def ingest(
    request: IngestRequest,
    store: GraphStore,
    *,
    executor: Executor | None = None,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
    follow_links: bool = False,
    lease_ms: int = LEASE_MS,
) -> IngestSummary:
    """Bring a series into the store.

    Where the same is under way already, this process takes part in it.

    Parameters
    ----------
    executor : where checkpoints are measured and written; None does it in this thread
    report : told of progress, in checkpoints
    stop : asked between checkpoints; True ends the ingest, what is written stays and is complete
    follow_links : see `IngestRequest.open`
    lease_ms : how long this process may be silent before its job counts as abandoned

    Raises
    ------
    JobError : another process that took part ended the job as failed
    """
    # what is wrong with the request is met before anything is written
    model = opened(request, follow_links=follow_links)[1].id
    worker = worker_name()
    queue, units = JobQueue(store, lease_ms=lease_ms), Units(store, worker, lease_ms=lease_ms)
    queue.abandon()
    job, new = queue.put(request.as_json(), in_place=worker)
    if not new:
        _free_the_dead(queue, job)
    with Heartbeat(queue, units, job, holds_job=new) as beat:
        run = JobRun(
            store,
            queue,
            units,
            job,
            beat,
            executor=executor,
            stop=stop,
            report=report or silent,
            follow_links=follow_links,
        )
        now = _done_here(queue, run, job, beat, worker)
    if run.tally.error is not None:
        raise run.tally.error
    if now.status == "failed":
        raise JobError(f"job {now.id} failed: {now.message}")
    return _summary(model, now, run.tally)


def _done_here(queue: JobQueue, run: JobRun, job: Job, beat: Heartbeat, worker: str) -> Job:
    """Work on a job until it is over, and return it as it is then."""
    in_place = beat.holds_job
    try:
        while (now := queue.job(job.id)).is_open:
            held = queue.take(job.id, worker)
            beat.holds_job = in_place or held is not None
            if held is not None and held.units is None:
                run.list_units()
                beat.holds_job = in_place
            elif held is not None:
                return run.end(held)
            run.take_units()
            if run.stopped and in_place:
                queue.cancel(job.id, at_once=False)
            elif run.stopped:
                return queue.leave(job)
            elif held is None:
                time.sleep(LOOK_S)  # others have what is left of it
    except BaseException as error:
        if in_place:
            _ended_early(queue, job, worker, error)
        raise
    return now


def _ended_early(queue: JobQueue, job: Job, worker: str, error: BaseException) -> None:
    told = sentence_of(error) if isinstance(error, Exception) else INTERRUPTED
    with suppress(JobError, StoreError):
        queue.finish(job, worker, "failed", message=told)


def _free_the_dead(queue: JobQueue, job: Job) -> None:
    """Let a command that is given again go on at once where the one before it was killed on this machine."""
    for worker in queue.holders(job):
        if _is_gone(worker):
            queue.free(job, worker)


def _is_gone(worker: str) -> bool:
    host, _, rest = worker.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _summary(model: str, job: Job, tally: Tally) -> IngestSummary:
    counts = job.units
    done = 0 if counts is None else counts.done + counts.failed
    return IngestSummary(
        model,
        done,
        job.total,
        tally.spectra,
        tally.graphs,
        tally.edges,
        tally.replaced,
        tally.failed,
        tally.recognised,
        tally.bytes_read,
    )
