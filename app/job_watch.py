"""Jobs that somebody follows: one look after another for each, however many follow it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field

import anyio

from neuromfa.errors import StoreError
from neuromfa.graph.job_queue import Job

LOOK_S = 0.5
LOOKS_AT_ONCE = 4


@dataclass(eq=False)
class Watched:
    """A job under watch.

    Attributes
    ----------
    state : as it was seen last; None once the store did not answer
    changed : set when the state is another one, and then replaced
    """

    state: Job | None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    followers: int = 0
    task: "asyncio.Task[None] | None" = None

    def see(self, state: Job | None) -> None:
        """Take over a state and wake those who wait for another one."""
        if state != self.state:
            self.state = state
            self.changed.set()
            self.changed = asyncio.Event()

    async def next(self, seen: Job, *, within: float) -> Job | None:
        """Return a state that is not the one seen; that one again when none came in so many seconds."""
        changed = self.changed
        if self.state == seen:
            with anyio.move_on_after(within):
                await changed.wait()
        return self.state


class JobWatch:
    """All jobs that are followed.

    Parameters
    ----------
    read : returns the state of a job; asked in a thread
    """

    def __init__(self, read: Callable[[str], Job]) -> None:
        self._read = read
        self._watched: dict[str, Watched] = {}
        self._room: anyio.CapacityLimiter | None = None

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[Watched]:
        """Watch a job for one follower more."""
        watched = self._watched.setdefault(job.id, Watched(job))
        if watched.state is not None and watched.state.updated < job.updated:
            watched.see(job)
        watched.followers += 1
        if watched.task is None:
            loop = asyncio.get_running_loop()
            watched.task = loop.create_task(self._look_on(job.id, watched), context=Context())
        try:
            yield watched
        finally:
            watched.followers -= 1
            if not watched.followers:
                watched.task.cancel()
                self._forget(job.id, watched)

    async def _look_on(self, id: str, watched: Watched) -> None:
        """Look until the job is over or the store is away."""
        self._room = self._room or anyio.CapacityLimiter(LOOKS_AT_ONCE)
        while watched.state is not None and watched.state.is_open:
            await asyncio.sleep(LOOK_S)
            try:
                watched.see(await anyio.to_thread.run_sync(self._read, id, limiter=self._room))
            except StoreError:
                self._forget(id, watched)  # who follows it from now on has it looked at anew
                watched.see(None)

    def _forget(self, id: str, watched: Watched) -> None:
        if self._watched.get(id) is watched:
            del self._watched[id]
