"""The worker: takes units of queued jobs until it is told to stop; any number of workers share the jobs of a store."""

import os
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from neuromfa.analysis import sentence_of
from neuromfa.errors import JobError, NeuroMFAError, StoreError, StoreUnavailable
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import LEASE_MS, Job, JobQueue
from neuromfa.graph.units import Unit, Units
from neuromfa.ingest.heartbeat import Heartbeat
from neuromfa.ingest.job_run import JobRun, opened
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import check_model_id

IDLE_S = 1.0
AWAY_S = 5.0
ALIVE_IDLE_S, ALIVE_BUSY_S = 60.0, 900.0


def enqueue(store: GraphStore, request: IngestRequest) -> str:
    """Queue an ingest and return the id of its job, see `put`."""
    return put(store, request)[0].id


def put(store: GraphStore, request: IngestRequest) -> tuple[Job, bool]:
    """Queue an ingest; what is wrong with its source is said now, not by the worker.

    Returns
    -------
    job, new : its job, and False where a job that asks for the same waited or ran already
    """
    check_model_id(opened(request)[1].id)
    return JobQueue(store).put(request.as_json())


def work(
    store: GraphStore,
    *,
    executor: Executor | None = None,
    stop: Callable[[], bool] = lambda: False,
    until_empty: bool = False,
    tell: Callable[[str], None] = print,
    alive: Callable[[float], None] = lambda _: None,
    lease_ms: int = LEASE_MS,
) -> int:
    """Take and do units of jobs.

    Parameters
    ----------
    executor : where checkpoints are measured and written
    stop : asked between checkpoints and while idle
    until_empty : return when nothing is to be done here, instead of waiting for more
    tell : told one sentence about each job
    alive : told at each sign of life for how many seconds it is good: the store answered the idle worker, or a
        checkpoint was done, after which the next one may take long
    lease_ms : how long the worker may be silent before another takes what it holds

    Returns
    -------
    ended : number of jobs this worker ended
    """
    name = worker_name()
    queue, units = JobQueue(store, lease_ms=lease_ms), Units(store, name, lease_ms=lease_ms)
    worker, ended = _Worker(store, queue, units, executor, stop, tell, alive), 0
    while not stop():
        try:
            turn = worker.next_turn()
            alive(ALIVE_IDLE_S if turn is None else ALIVE_BUSY_S)
            if turn is not None:
                ended += worker.do(turn)
                continue
        except StoreUnavailable as away:
            tell(f"waiting for the store: {away}")
            time.sleep(AWAY_S)
            continue
        if until_empty:
            break
        time.sleep(IDLE_S)
    return ended


@dataclass(frozen=True)
class _Turn:
    """What there is to do: a job that is held, to be listed or ended, or one of whose units the first was taken."""

    job: Job
    unit: Unit | None


@dataclass
class _Worker:
    """One worker; `closed` are the jobs whose source it cannot open."""

    store: GraphStore
    queue: JobQueue
    units: Units
    executor: Executor | None
    stop: Callable[[], bool]
    tell: Callable[[str], None]
    alive: Callable[[float], None]
    closed: set[str] = field(default_factory=set)

    def next_turn(self) -> _Turn | None:
        """Take what is most urgent; None where nothing is to be done."""
        self.queue.abandon()
        for id in self.queue.waiting():
            if id not in self.closed and (unit := self.units.claim(id)) is not None:
                return _Turn(self.queue.job(id), unit)
            if (job := self.queue.take(id, self.units.worker)) is not None:
                return _Turn(job, None)
        return None

    def do(self, turn: _Turn) -> int:
        """Work on a job; return 1 when this worker ended it, 0 when it goes on elsewhere."""
        with Heartbeat(self.queue, self.units, turn.job, holds_job=turn.unit is None) as beat:
            try:
                now = self._worked(turn, beat)
            except StoreUnavailable:
                raise
            except (JobError, StoreError) as trouble:
                self.tell(f"job {turn.job.id}: {trouble}")
                time.sleep(IDLE_S)
                return 0
            except Exception as error:
                # a fault of this program ends one job or unit, not the worker and then the next worker
                now = self._failed(turn, beat, error)
        if now is None or now.is_open:
            return 0
        self.tell(f"job {now.id}: {now.status} {now.message}".rstrip())
        return 1

    def _worked(self, turn: _Turn, beat: Heartbeat) -> Job | None:
        """Return the job this worker ended, None for one that goes on, or was ended, elsewhere."""
        job, unit = turn.job, turn.unit
        run = JobRun(
            self.store,
            self.queue,
            self.units,
            job,
            beat,
            executor=self.executor,
            stop=self.stop,
            report=lambda *_: self.alive(ALIVE_BUSY_S),
            tell=self.tell,
        )
        if unit is None and job.units is not None:
            return run.end(job)
        if unit is None:
            job = run.list_units()
            beat.holds_job = False
        run.take_units(unit)
        if (held := self.queue.take(job.id, self.units.worker)) is not None:
            beat.holds_job = True
            return run.end(held)
        if self.stop():
            self.queue.leave(job)
        return None

    def _failed(self, turn: _Turn, beat: Heartbeat, error: Exception) -> Job | None:
        """End a job that is held; one that is shared is left to workers that can open its source, with None."""
        told = sentence_of(error)
        if beat.holds_job:
            return self.queue.finish(turn.job, self.units.worker, "failed", message=told)
        if isinstance(error, NeuroMFAError):
            self.closed.add(turn.job.id)
        self.tell(f"job {turn.job.id}: {told}")
        self.queue.leave(turn.job)
        return None


def worker_name() -> str:
    """Return a name no other worker has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
