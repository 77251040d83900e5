"""The shape of the store and its numbered migrations; refuses a newer shape and what other tools wrote."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from neuromfa.errors import SchemaMismatch
from neuromfa.graph.connection import Connection
from neuromfa.graph.cypher_files import names, query
from neuromfa.graph.result_io import describe_older_results


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


REWORK: Mapping[int, Callable[[Connection], None]] = {2: describe_older_results}


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
    row = connection.read(lambda transaction: transaction.one("read/schema_version"))
    return None if row is None else int(row["version"])


def ensure_schema(connection: Connection) -> int:
    """Bring an empty or older store to the current version; return the version found before.

    Raises
    ------
    SchemaMismatch
        The store is of a newer version, or holds what another tool wrote.
    """
    found = stored_version(connection)
    if found is None:
        _refuse_foreign(connection)
        found = 0
        connection.write(lambda transaction: transaction.rows("write/claim_schema"))
    if found > current_version():
        raise SchemaMismatch(
            f"the store at {connection.uri} has schema version {found} and this program knows "
            f"{current_version()}; install a newer neuromfa, or use another store"
        )
    for migration in migrations():
        if migration.version > found:
            _run(connection, migration)
    return found


def _run(connection: Connection, migration: Migration) -> None:
    for name in migration.statements:
        connection.run_schema(query(name).text)
    if migration.rework is not None:
        migration.rework(connection)
    connection.write(
        lambda transaction: transaction.rows("write/set_schema_version", version=migration.version)
    )


def _refuse_foreign(connection: Connection) -> None:
    stranger = connection.read(lambda transaction: transaction.one("read/any_node"))
    if stranger is None or stranger["labels"] == ["SchemaVersion"]:
        return
    labels = ", ".join(stranger["labels"]) or "no label"
    raise SchemaMismatch(
        f"the store at {connection.uri} holds nodes of another tool ({labels}); use an empty database"
    )
