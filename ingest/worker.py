"""The worker: takes jobs from the store's queue and runs each as an ingest, until it is told to stop."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from types import TracebackType

from neuromfa.errors import JobError, NeuroMFAError, StoreError, StoreUnavailable
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import LEASE_MS, Job, JobQueue
from neuromfa.ingest.ingest import IngestSummary, ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import check_model_id

IDLE_S = 1.0
ALIVE_IDLE_S, ALIVE_BUSY_S = 60.0, 900.0
BEATS_A_LEASE = 4
LAST_BEAT_S = 2.0


def enqueue(store: GraphStore, request: IngestRequest) -> str:
    """Queue an ingest and return the id of its job, see `put`."""
    return put(store, request)[0].id


def put(store: GraphStore, request: IngestRequest) -> tuple[Job, bool]:
    """Queue an ingest; what is wrong with its source is said now, not by the worker.

    Returns
    -------
    job, new : its job, and False where a job that asks for the same waited or ran already
    """
    check_model_id(request.open().select(request.steps).id)
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
    """Take and run jobs.

    Parameters
    ----------
    executor : where checkpoints are measured
    stop : asked between checkpoints and while idle
    until_empty : return when nothing waits, instead of waiting for more
    tell : told one sentence about each job
    alive : told at each sign of life for how many seconds it is good: the store answered the idle worker, or a
        checkpoint was done, after which the next one may take long
    lease_ms : how long the worker may be silent before another takes its job

    Returns
    -------
    ended : number of jobs this worker ended
    """
    queue, worker, ended = JobQueue(store, lease_ms=lease_ms), _worker_name(), 0
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
    with _Held(queue, worker, job, alive) as held:
        try:
            summary = ingest(
                IngestRequest.from_json(job.request),
                store,
                executor=executor,
                report=held.report,
                stop=lambda: held.cancelled or stop(),
            )
            if held.cancelled:
                ended = queue.finish(job, worker, "cancelled")
            elif summary.stopped:
                ended = queue.release(job, worker)
            else:
                ended = queue.finish(job, worker, "done", message=_told(summary), failed=len(summary.failed))
        except (JobError, StoreUnavailable) as lost:
            tell(f"job {job.id}: {lost}")
            return 0
        except NeuroMFAError as error:
            ended = queue.finish(job, worker, "failed", message=str(error))
        except Exception as error:
            # a fault of this program ends one job, not the worker and then the next worker
            ended = queue.finish(job, worker, "failed", message=f"{type(error).__name__}: {error}")
    tell(f"job {ended.id}: {ended.status} {ended.message}".rstrip())
    return 0 if ended.is_open else 1


class _Held:
    """A job while this worker has it: a thread keeps its lease, and progress is handed to the queue.

    A store that is away for a moment does not end the thread: the lease may last until it is back.
    """

    def __init__(self, queue: JobQueue, worker: str, job: Job, alive: Callable[[float], None]) -> None:
        self._queue, self._worker, self._job, self._alive = queue, worker, job, alive
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease of job {job.id}", daemon=True)
        self.cancelled = False

    def __enter__(self) -> "_Held":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        # a store that hangs keeps the thread for a while: it can do no harm any more
        self._thread.join(LAST_BEAT_S)

    def report(self, done: int, total: int, doing: str) -> None:
        """Tell how far the job is; `JobError` when another worker has it, so that nothing more is written."""
        now = self._queue.report(self._job, self._worker, done=done, total=total, message=doing)
        self._alive(ALIVE_BUSY_S)
        self.cancelled = self.cancelled or now.cancelling

    def _beat(self) -> None:
        while not self._ended.wait(self._queue.lease_s / BEATS_A_LEASE):
            try:
                now = self._queue.keep(self._job, self._worker)
            except JobError:
                return
            except StoreError:
                continue
            self.cancelled = self.cancelled or now.cancelling


def _told(summary: IngestSummary) -> str:
    """Return what a job that is done leaves to do, in words; empty where nothing."""
    return f"{len(summary.failed)} of {summary.total} checkpoints failed" if summary.failed else ""


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
