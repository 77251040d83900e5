"""A limit that also holds when the server, or the way to it, says nothing at all."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

import neo4j

from neuromfa.errors import QueryTimeout

FEW = 64


@dataclass(order=True)
class _Alarm:
    """Something to do at a moment of the monotonic clock, unless it is called off."""

    at: float
    number: int
    ring: Callable[[], None] | None = field(compare=False)


class _Alarms:
    """One thread that watches over all limits; it starts with the first and sleeps until the next is due."""

    def __init__(self) -> None:
        self._waiting: list[_Alarm] = []
        self._silent = 0  # of these, how many were called off
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._watching = False

    def set(self, seconds: float, ring: Callable[[], None]) -> _Alarm:
        """Ring in so many seconds; what rings must be quick and never raise."""
        alarm = _Alarm(time.monotonic() + seconds, next(self._numbers), ring)
        with self._changed:
            heapq.heappush(self._waiting, alarm)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="deadlines", daemon=True).start()
            elif self._waiting[0] is alarm:
                self._changed.notify()
        return alarm

    def call_off(self, alarm: _Alarm) -> None:
        """Let an alarm pass in silence; those are let go when most are such, or when their time has come."""
        with self._changed:
            alarm.ring = None
            self._silent += 1
            if self._silent > max(FEW, len(self._waiting) // 2):
                self._waiting = [one for one in self._waiting if one.ring is not None]
                heapq.heapify(self._waiting)
                self._silent = 0

    def _watch(self) -> None:
        while True:
            ring = self._next()
            if ring is not None:
                ring()

    def _next(self) -> Callable[[], None] | None:
        """Wait for what is due and return what it rings."""
        with self._changed:
            while not self._waiting or self._waiting[0].at > time.monotonic():
                until = self._waiting[0].at - time.monotonic() if self._waiting else None
                self._changed.wait(until)
            due = heapq.heappop(self._waiting)
            self._silent -= due.ring is None
            return due.ring


_ALARMS = _Alarms()


class Deadline:
    """Cuts a session's connection once its time is over; inside, that is a `QueryTimeout`.

    Servers end long queries themselves where they can. This is for the rest: a half-open connection, a proxy that
    lets nothing through, and a server that knows no limit per query. The driver has no public way to give up a
    read that is under way, so this takes its private ones; a test holds it to them.

    Parameters
    ----------
    session : whose connection is cut
    limit : what the caller is told, in seconds
    grace : how much later the cut comes, in seconds
    """

    def __init__(self, session: neo4j.Session, *, limit: float, grace: float) -> None:
        self._session, self._limit, self._grace = session, limit, grace
        self._passed = threading.Event()

    def check(self) -> None:
        """Raise `QueryTimeout` when the time is over."""
        if self._passed.is_set():
            raise QueryTimeout(
                f"the query took longer than its limit of {self._limit:g} s; ask for less, or raise the limit"
            )

    def _cut(self) -> None:
        self._passed.set()
        cut(self._session)

    def __enter__(self) -> "Deadline":
        self._alarm = _ALARMS.set(self._limit + self._grace, self._cut)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ALARMS.call_off(self._alarm)
        if isinstance(error, Exception):
            self.check()


def cut(session: neo4j.Session) -> None:
    """End what a session waits for, from another thread; it is not tried again."""
    connection = getattr(session, "_connection", None)
    if connection is not None:
        session._config.max_transaction_retry_time = -1.0
        connection.kill()
