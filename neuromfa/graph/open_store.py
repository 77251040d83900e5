"""Opening the store: a Neo4j server, or the embedded one of a data folder."""

from pathlib import Path

from neuromfa.graph.connection import Connection, WriteAccess
from neuromfa.graph.limits import Limits
from neuromfa.graph.store import GraphStore
from neuromfa.servers.arcadedb_server import EmbeddedServer


def open_store(
    *,
    uri: str | None = None,
    user: str = "neo4j",
    password: str = "",
    database: str | None = None,
    data_dir: Path | str = "var",
    limits: Limits | None = None,
    prepare: bool = True,
) -> GraphStore:
    """Open the store at `uri`, or without one the embedded store in `data_dir`, started when need be.

    Parameters
    ----------
    uri, user, password, database : of a Neo4j server; database None is the server's default
    data_dir : folder of the embedded store, shared by all processes that name it
    limits : time limits
    prepare : make or migrate the schema and clear what killed writers left; without it nothing is written

    Examples
    --------
    >>> with open_store(data_dir="var") as store:  # doctest: +SKIP
    ...     graph = store.read_sample("stdlib-14m", 2000, 0)
    """
    limits = limits or Limits()
    if uri is not None:
        connection = Connection(uri, writer=(user, password), reader=None, database=database, limits=limits)
        return _prepared(GraphStore(connection), prepare=prepare)
    embedded = EmbeddedServer(Path(data_dir), command_timeout_s=limits.server_s)
    try:
        endpoint = embedded.open()
        connection = Connection(
            endpoint.uri,
            writer=endpoint.writer,
            reader=endpoint.reader,
            database=endpoint.database,
            limits=limits,
            revive=lambda: embedded.open().uri,
            folder=embedded.folder,
        )
    except BaseException:
        embedded.close()
        raise
    return _prepared(GraphStore(connection, embedded=embedded), prepare=prepare)


def open_shared(access: WriteAccess) -> GraphStore:
    """Open the store that another process has open, by its address; nothing is prepared, started or revived."""
    writer = (access.user, access.password)
    return GraphStore(
        Connection(access.uri, writer=writer, reader=None, database=access.database, limits=access.limits)
    )


def _prepared(store: GraphStore, *, prepare: bool) -> GraphStore:
    try:
        if prepare:
            store.ensure_schema()
            store.sweep()
    except BaseException:
        store.close()
        raise
    return store
