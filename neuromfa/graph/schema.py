"""The shape of the store and its numbered migrations; refuses a newer shape and what other tools wrote.

Any number of processes may start at once on an empty or older store. The constraint of the one `SchemaVersion`
node comes before the node, so that there is one; its lease lets one process migrate while the others wait. The
lease saves work and no more: a process that lost it does no harm, because every migration may be run twice.
"""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from neuromfa.errors import SchemaMismatch, StoreError
from neuromfa.graph.connection import Connection, Row
from neuromfa.graph.cypher_files import names, query
from neuromfa.graph.model_states import mark_models
from neuromfa.graph.result_io import describe_older_results

_log = logging.getLogger(__name__)

MARK_CONSTRAINT = "schema/0001_schema_version_id"
LOOK_S = 0.2


@dataclass(frozen=True)
class Migration:
    """One step from a version to the next; every statement may be run twice.

    Attributes
    ----------
    version : the version after it
    statements : names of queries that change the schema
    rework : brings what is stored to the new shape, or None
    """

    version: int
    statements: tuple[str, ...]
    rework: Callable[[Connection], None] | None = None


REWORK: Mapping[int, Callable[[Connection], None]] = {2: describe_older_results, 3: mark_models}


@dataclass(frozen=True)
class Marks:
    """The `SchemaVersion` nodes of a store: one, none where nothing is ours, more where starts got in each other's way.

    Attributes
    ----------
    count : how many there are
    version, newest : the lowest and the highest version they name; 0 without any
    """

    count: int
    version: int
    newest: int


def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order: the files of ``cypher/schema``, which begin with their version, and `REWORK`."""
    by_version: dict[int, list[str]] = {version: [] for version in REWORK}
    for name in names("schema"):
        by_version.setdefault(int(name.split("/")[1].split("_")[0]), []).append(name)
    return tuple(
        Migration(version, tuple(found), REWORK.get(version)) for version, found in sorted(by_version.items())
    )


def current_version() -> int:
    """Return the version this code writes."""
    return migrations()[-1].version


def stored_version(connection: Connection) -> int | None:
    """Return the version of the store, None where nothing of ours is in it."""
    found = _marks(connection)
    return found.version if found.count else None


def ensure_schema(connection: Connection) -> int:
    """Bring an empty, older or half made store to the current version; return the version found before.

    Raises
    ------
    SchemaMismatch
        The store is of a newer version, or holds what another tool wrote.
    """
    found = _marks(connection)
    if found.count == 0:
        _refuse_foreign(connection)
    if found.newest > current_version():
        raise SchemaMismatch(
            f"the store at {connection.uri} has schema version {found.newest} and this program knows "
            f"{current_version()}; install a newer neuromfa, or use another store"
        )
    healed = _mark(connection, found)
    if healed or found.count != 1 or found.version < current_version():
        _migrate(connection)
    return found.version


def _marks(connection: Connection) -> Marks:
    row = connection.read(lambda transaction: transaction.rows("read/schema_version")[0])
    return Marks(row["marks"], row["version"] or 0, row["newest"] or 0)


def _mark(connection: Connection, found: Marks) -> bool:
    """Leave exactly one mark, under its constraint; tell whether something had to be repaired for that."""
    doubled = found.count > 1 and _heal(
        connection, "SchemaVersion nodes, left by starts at once", more_than=1
    )
    made = connection.run_schema(query(MARK_CONSTRAINT).text)
    if found.count == 0:
        connection.write(lambda transaction: transaction.rows("write/mark_schema"))
    bare = found.count == 1 and made and found.version > 0  # at 0 all migrations are still to run
    return doubled or (bare and _heal(connection, "SchemaVersion node without its constraint", more_than=0))


def _heal(connection: Connection, what: str, *, more_than: int) -> bool:
    """Keep one mark and say so; False where another process was faster."""
    row = connection.write(lambda transaction: transaction.one("write/heal_schema", more_than=more_than))
    if row is not None:
        _log.warning("the store at %s had %d %s; repaired", connection.uri, row["found"], what)
    return row is not None


def _migrate(connection: Connection) -> None:
    """Run what is missing, or wait while another process does; go on where one was killed."""
    writer = uuid.uuid4().hex
    while (turn := _claimed(connection, writer))["version"] < current_version():
        if turn["ours"]:
            with _kept(connection, writer):
                _run(connection, _next_after(turn["version"]))
        else:
            time.sleep(LOOK_S)


def _next_after(version: int) -> Migration:
    return next(migration for migration in migrations() if migration.version > version)


def _claimed(connection: Connection, writer: str) -> Row:
    """Take or lengthen the lease; return the version to go on from, and whether the lease is ours."""
    wish = {"writer": writer, "version": current_version(), "lease_ms": connection.limits.lease_ms}
    return connection.write(lambda transaction: transaction.rows("write/claim_schema", **wish)[0])


@contextlib.contextmanager
def _kept(connection: Connection, writer: str) -> Iterator[None]:
    """Lengthen the lease again and again, however long a migration takes, and let it go at the end."""
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(connection, writer, over), name="schema lease")
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join()
        with contextlib.suppress(StoreError):
            connection.write(lambda transaction: transaction.rows("write/release_schema", writer=writer))


def _beat(connection: Connection, writer: str, over: threading.Event) -> None:
    while not over.wait(connection.limits.lease_s / 3):
        with contextlib.suppress(StoreError):
            _claimed(connection, writer)


def _run(connection: Connection, migration: Migration) -> None:
    for name in migration.statements:
        connection.run_schema(query(name).text)
    if migration.rework is not None:
        migration.rework(connection)
    connection.write(
        lambda transaction: transaction.rows("write/set_schema_version", version=migration.version)
    )


def _refuse_foreign(connection: Connection) -> None:
    """Refuse nodes of another tool; those that another process has just put beside its mark are ours."""
    stranger = connection.read(lambda transaction: transaction.one("read/any_node"))
    if stranger is None or stored_version(connection) is not None:
        return
    labels = ", ".join(stranger["labels"]) or "no label"
    raise SchemaMismatch(
        f"the store at {connection.uri} holds nodes of another tool ({labels}); use an empty database"
    )
