"""The worker: takes jobs from the store's queue and runs each as an ingest, until it is told to stop."""

import os
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Executor

from neuromfa.errors import JobError, NeuroMFAError, StoreUnavailable
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import check_model_id

IDLE_S = 1.0
ALIVE_IDLE_S, ALIVE_BUSY_S = 60.0, 900.0


def enqueue(store: GraphStore, request: IngestRequest) -> str:
    """Queue an ingest and return the id of its job; what is wrong with its source is said now, not by the worker."""
    check_model_id(request.open().select(request.steps).id)
    return JobQueue(store).enqueue(request.as_json()).id


def work(
    store: GraphStore,
    *,
    executor: Executor | None = None,
    stop: Callable[[], bool] = lambda: False,
    until_empty: bool = False,
    tell: Callable[[str], None] = print,
    alive: Callable[[float], None] = lambda _: None,
) -> int:
    """Take and run jobs.

    Parameters
    ----------
    executor : where checkpoints are measured
    stop : asked between checkpoints and while idle
    until_empty : return when nothing waits, instead of waiting for more
    tell : told one sentence about each job
    alive : told at each sign of life for how many seconds it is good: the store answered the idle worker, or a
        checkpoint was done, after which the next one may take long

    Returns
    -------
    ended : number of jobs this worker ended
    """
    queue, worker, ended = JobQueue(store), _worker_name(), 0
    while not stop():
        job = _claim(queue, worker, tell, alive)
        if job is not None:
            ended += _run(queue, worker, job, store, executor=executor, stop=stop, tell=tell, alive=alive)
        elif until_empty:
            break
        else:
            time.sleep(IDLE_S)
    return ended


def _claim(
    queue: JobQueue, worker: str, tell: Callable[[str], None], alive: Callable[[float], None]
) -> Job | None:
    """Take a job; a store that is away for a while does not end the worker."""
    try:
        job = queue.claim(worker)
        alive(ALIVE_IDLE_S if job is None else ALIVE_BUSY_S)
        return job
    except StoreUnavailable as away:
        tell(f"waiting for the store: {away}")
        time.sleep(5 * IDLE_S)
        return None


def _run(
    queue: JobQueue,
    worker: str,
    job: Job,
    store: GraphStore,
    *,
    executor: Executor | None,
    stop: Callable[[], bool],
    tell: Callable[[str], None],
    alive: Callable[[float], None],
) -> int:
    """Run one job; return 1 when this worker ended it, 0 when it goes on elsewhere."""
    reporter = _Reporter(queue, worker, job, alive)
    try:
        summary = ingest(
            IngestRequest.from_json(job.request),
            store,
            executor=executor,
            report=reporter,
            stop=lambda: reporter.cancelled or stop(),
        )
        if reporter.cancelled:
            ended = queue.finish(job, worker, "cancelled")
        elif summary.stopped:
            ended = queue.release(job, worker)
        else:
            ended = queue.finish(job, worker, "done")
    except (JobError, StoreUnavailable) as lost:
        tell(f"job {job.id}: {lost}")
        return 0
    except NeuroMFAError as error:
        ended = queue.finish(job, worker, "failed", message=str(error))
    tell(f"job {ended.id}: {ended.status} {ended.message}".rstrip())
    return 0 if ended.is_open else 1


class _Reporter:
    """Hands progress to the queue and remembers whether somebody cancelled the job."""

    def __init__(self, queue: JobQueue, worker: str, job: Job, alive: Callable[[float], None]) -> None:
        self._queue, self._worker, self._job, self._alive = queue, worker, job, alive
        self.cancelled = False

    def __call__(self, done: int, total: int, doing: str) -> None:
        now = self._queue.report(self._job, self._worker, done=done, total=total, message=doing)
        self._alive(ALIVE_BUSY_S)
        self.cancelled = self.cancelled or now.cancelling


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
