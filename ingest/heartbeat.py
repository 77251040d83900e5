"""The thread that keeps what a worker holds: its units, and the job itself while it lists or ends it."""

import threading
from types import TracebackType

from neuromfa.errors import JobError, StoreError
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.graph.units import Units

BEATS_A_LEASE = 4
LAST_BEAT_S = 2.0


class Heartbeat:
    """Keeps the leases of one worker on one job, however long a checkpoint takes.

    A store that is away for a moment does not end the thread: the leases may last until it is back.

    Attributes
    ----------
    cancelled : somebody asked for the end of the job
    holds_job : the job itself is kept too
    """

    def __init__(self, queue: JobQueue, units: Units, job: Job, *, holds_job: bool) -> None:
        self._queue, self._units, self._job, self.holds_job = queue, units, job, holds_job
        self._held: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"leases of job {job.id}", daemon=True)
        self.cancelled = job.cancelling

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        # a store that hangs keeps the thread for a while: it can do no harm any more
        self._thread.join(LAST_BEAT_S)

    @property
    def held(self) -> tuple[str, ...]:
        """Ids of the units that are kept."""
        return tuple(self._held)

    def keep(self, id: str) -> None:
        """Keep a unit from now on."""
        self._held = {*self._held, id}

    def let(self, id: str) -> None:
        """Keep a unit no more."""
        self._held = self._held - {id}

    def _beat(self) -> None:
        while not self._ended.wait(self._queue.lease_s / BEATS_A_LEASE):
            try:
                self._once()
            except JobError:
                self.holds_job = False
            except StoreError:
                continue

    def _once(self) -> None:
        if held := self.held:
            self._units.keep(held)
        now = (
            self._queue.keep(self._job, self._units.worker)
            if self.holds_job
            else self._queue.job(self._job.id)
        )
        self.cancelled = self.cancelled or now.cancelling
