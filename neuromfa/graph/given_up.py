"""Queries whose asker has left: ended at once, wherever they are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import neo4j

from neuromfa.errors import NobodyWaits
from neuromfa.graph.deadline import cut


class Asker:
    """Who waits for the answers of some queries, until it gives up; threads find theirs by `asking`."""

    def __init__(self) -> None:
        self._gone = threading.Event()
        self._sessions: set[neo4j.Session] = set()
        self._lock = threading.Lock()

    def give_up(self) -> None:
        """End what runs for this asker; what would begin does not."""
        with self._lock:
            self._gone.set()
            for session in self._sessions:
                cut(session)

    def check(self) -> None:
        """Raise `NobodyWaits` once it has given up."""
        if self._gone.is_set():
            raise NobodyWaits("the question was given up before it was answered")

    @contextmanager
    def waits_for(self, session: neo4j.Session) -> Iterator[None]:
        """Let go of a session with the asker."""
        with self._lock:
            self.check()
            self._sessions.add(session)
        try:
            yield
        except Exception:
            self.check()
            raise
        finally:
            with self._lock:
                self._sessions.discard(session)


_PATIENT = Asker()
asking: ContextVar[Asker] = ContextVar("asking", default=_PATIENT)
