"""A limit that also holds when the server, or the way to it, says nothing at all."""

import threading
from types import TracebackType

import neo4j

from neuromfa.errors import QueryTimeout


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
        self._session, self._limit = session, limit
        self._passed = threading.Event()
        self._timer = threading.Timer(limit + grace, self._cut)
        self._timer.daemon = True

    def check(self) -> None:
        """Raise `QueryTimeout` when the time is over."""
        if self._passed.is_set():
            raise QueryTimeout(
                f"the query took longer than its limit of {self._limit:g} s; ask for less, or raise the limit"
            )

    def _cut(self) -> None:
        self._passed.set()
        connection = getattr(self._session, "_connection", None)
        if connection is not None:
            self._session._config.max_transaction_retry_time = -1.0  # what was cut is not tried again
            connection.kill()

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if isinstance(error, Exception):
            self.check()
