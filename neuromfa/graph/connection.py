"""Talking to a server: the official driver, sessions for reading and writing, time limits, our own errors."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from neuromfa.errors import (
    QueryTooLarge,
    StoreUnavailable,
)
from neuromfa.graph.cypher_files import query
from neuromfa.graph.deadline import Deadline
from neuromfa.graph.dialects import Dialect, dialect_of
from neuromfa.graph.driver_errors import mapped, told_of_full_disk
from neuromfa.graph.given_up import asking
from neuromfa.graph.limits import Limits
from neuromfa.servers.bolt_address import check_address, what_answers

T = TypeVar("T")
Row = dict[str, Any]

# the driver says each of its retries; what comes of them is ours to tell
logging.getLogger("neo4j").addHandler(logging.NullHandler())

RETRIES = 8
FIRST_PAUSE_S = 0.02


@dataclass(frozen=True)
class ReadAccess:
    """How another process reaches the same database with no more rights than reads have here."""

    uri: str
    user: str
    password: str = field(repr=False)
    database: str | None


@dataclass(frozen=True)
class WriteAccess:
    """How another process reaches the same database to write into it."""

    uri: str
    user: str
    password: str = field(repr=False)
    database: str | None
    limits: Limits


class Transaction:
    """What a unit of work may do: run queries by name."""

    def __init__(self, transaction: neo4j.ManagedTransaction, *, dialect: Dialect) -> None:
        self._transaction, self.dialect = transaction, dialect

    def rows(self, name: str, **parameters: Any) -> list[Row]:
        """Run the query `name` of ``cypher/`` and return its rows."""
        return self.rows_of(query(name).text, parameters)

    def rows_of(self, text: LiteralString, parameters: Row) -> list[Row]:
        """Run a text and return its rows."""
        with self.told_at_once():
            return [dict(record) for record in self._transaction.run(text, parameters)]

    def changes(self, text: LiteralString) -> bool:
        """Run a text and tell whether it changed anything."""
        with self.told_at_once():
            return bool(self._transaction.run(text).consume().counters.contains_updates)

    def result_of(self, text: str, parameters: Row) -> neo4j.Result:
        """Run a text of a user's and return its result unread; only for `free`, and only where reads go."""
        return self._transaction.run(text, parameters)

    @contextmanager
    def told_at_once(self) -> Iterator[None]:
        """Raise as an error of ours what the driver would try again in vain: lost time, and want of memory."""
        try:
            yield
        except Neo4jError as error:
            if error.code in self.dialect.memory_codes:
                raise QueryTooLarge(
                    "the query needs more memory than the server allows one transaction; ask for less, "
                    "or raise db.memory.transaction.max"
                ) from error
            raise

    def one(self, name: str, **parameters: Any) -> Row | None:
        """Return the first row, or None."""
        rows = self.rows(name, **parameters)
        return rows[0] if rows else None


class Connection:
    """A driver to one server, and where that server needs it a second one for a user that may only read.

    Parameters
    ----------
    uri : Bolt address
    writer : user and password
    reader : user and password of the user for reads, or None where READ sessions do
    database : name, None for the server's default
    limits : time limits
    revive : brings back a server that does not answer and returns its address, or None where that is not ours
    folder : of a server on this machine, whose disk may be full
    """

    def __init__(
        self,
        uri: str,
        *,
        writer: tuple[str, str],
        reader: tuple[str, str] | None,
        database: str | None,
        limits: Limits,
        revive: Callable[[], str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.uri, self.limits, self._database = uri, limits, database
        self._users = [user for user in (writer, reader) if user is not None]
        self._revive, self._reviving = revive, threading.Lock()
        self._of_thread, self._folder = threading.local(), folder
        self._drivers = _verified(uri, self._users, limits)
        self.agent = self._drivers[0].get_server_info().agent
        self.dialect = dialect_of(self.agent)

    @property
    def read_access(self) -> ReadAccess:
        """What opens a connection that is used for reads only."""
        user, password = self._users[-1]
        return ReadAccess(self.uri, user, password, self._database)

    @property
    def write_access(self) -> WriteAccess:
        """What opens a connection that writes as this one does."""
        user, password = self._users[0]
        return WriteAccess(self.uri, user, password, self._database, self.limits)

    def close(self) -> None:
        """Close all connections."""
        for driver in self._drivers:
            driver.close()

    def read(self, work: Callable[[Transaction], T], *, timeout_s: float | None = None) -> T:
        """Run a unit of work that cannot write, whatever it says, in one transaction."""
        limit = self.limits.clamp(timeout_s)

        def once() -> T:
            with (
                mapped(self.uri, dialect=self.dialect, limit=self._server_limit(limit)),
                self._session(reading=True) as session,
                asking.get().waits_for(session),
                Deadline(session, limit=limit, grace=self.dialect.timeout_grace_s) as deadline,
            ):
                return session.execute_read(self._unit(work, limit, deadline))

        return self._revived(once)

    def look(self, name: str, **parameters: Any) -> list[Row]:
        """Run one reading query by name as cheaply as a server allows: one message there, one back.

        Where that fails because a connection was left over from before the server was started again, the query is
        asked once more as any other read.
        """
        limit, text = self.limits.clamp(None), query(name).text
        own = neo4j.Query(text, timeout=limit if self.dialect.client_timeouts else None)
        try:
            with (
                self._session(reading=True) as session,
                asking.get().waits_for(session),
                Deadline(session, limit=limit, grace=self.dialect.timeout_grace_s),
            ):
                return [dict(record) for record in session.run(own, parameters)]
        except (Neo4jError, DriverError, OSError):
            return self.read(lambda transaction: transaction.rows(name, **parameters))

    def write(self, work: Callable[[Transaction], T], *, fenced: bool = True) -> T:
        """Run a unit of work in one transaction, again when somebody else was faster.

        The driver also runs it again when the connection broke, and the first try may have been committed: a
        unit of work must be harmless when done twice.

        Parameters
        ----------
        fenced : inside `self.fenced`, run its fence first; not for work that has a fence of its own
        """
        fence = getattr(self._of_thread, "fence", None) if fenced else None

        def behind_fence(transaction: Transaction) -> T:
            if fence is not None:
                fence(transaction)
            return work(transaction)

        def once() -> T:
            limit = self._server_limit(self.limits.write_s)
            with mapped(self.uri, dialect=self.dialect, limit=limit):
                return self._write_patiently(behind_fence)

        with told_of_full_disk(self._folder):
            return self._revived(once)

    @contextmanager
    def fenced(self, fence: Callable[[Transaction], None]) -> Iterator[None]:
        """Run a fence, which raises when this thread may not write any more, inside every write of a block."""
        self._of_thread.fence = fence
        try:
            yield
        finally:
            self._of_thread.fence = None

    def _write_patiently(self, work: Callable[[Transaction], T]) -> T:
        for attempt in range(RETRIES):
            limit, grace = self.limits.write_s, self.dialect.timeout_grace_s
            try:
                with (
                    self._session(reading=False) as session,
                    Deadline(session, limit=limit, grace=grace) as deadline,
                ):
                    return session.execute_write(self._unit(work, limit, deadline))
            except Neo4jError as error:
                if error.code not in self.dialect.retryable or attempt == RETRIES - 1:
                    raise
            time.sleep(FIRST_PAUSE_S * 2**attempt * random.random())  # noqa: S311  spreads writers, no secret
        raise AssertionError

    def _revived(self, once: Callable[[], T]) -> T:
        """Do something, and once more after bringing back a server of ours that was gone."""
        try:
            return once()
        except StoreUnavailable:
            if self._revive is None:
                raise
        with self._reviving:
            uri = self._revive()
            if uri != self.uri:
                old, self._drivers, self.uri = self._drivers, _verified(uri, self._users, self.limits), uri
                for driver in old:
                    driver.close()
        return once()

    def run_schema(self, text: LiteralString) -> bool:
        """Run one statement on the schema, in a transaction of its own; tell whether it changed anything."""
        return self.write(lambda transaction: transaction.changes(text))

    def _server_limit(self, limit: float) -> float:
        """Return the limit the server ends a query at."""
        return limit if self.dialect.client_timeouts else self.limits.server_s

    def _unit(
        self, work: Callable[[Transaction], T], limit: float, deadline: Deadline
    ) -> Callable[[neo4j.ManagedTransaction], T]:
        @neo4j.unit_of_work(timeout=limit if self.dialect.client_timeouts else None)
        def unit(transaction: neo4j.ManagedTransaction) -> T:
            deadline.check()
            return work(Transaction(transaction, dialect=self.dialect))

        return unit

    def _session(self, *, reading: bool) -> neo4j.Session:
        return self._drivers[-1 if reading else 0].session(
            database=self._database,
            default_access_mode=neo4j.READ_ACCESS if reading else neo4j.WRITE_ACCESS,
        )


def _verified(uri: str, users: list[tuple[str, str]], limits: Limits) -> list[neo4j.Driver]:
    """Return one driver a user, each proved by a greeting; on failure none stays open."""
    check_address(uri)
    drivers: list[neo4j.Driver] = []
    try:
        with mapped(uri, answers=lambda: what_answers(uri)):
            drivers += [_driver(uri, user, limits) for user in users]
            for driver in drivers:
                driver.verify_connectivity()
    except BaseException:
        for driver in drivers:
            driver.close()
        raise
    return drivers


def _driver(uri: str, user: tuple[str, str], limits: Limits) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(
        uri,
        auth=user,
        connection_timeout=limits.connect_s,
        connection_acquisition_timeout=limits.connect_s + limits.retry_s,
        max_transaction_retry_time=limits.retry_s,
        notifications_min_severity="OFF",
        user_agent="neuromfa",
    )
