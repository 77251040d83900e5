"""GraphStore: everything the project asks of a graph database, on either server, from any thread."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

from neuromfa.graph import sample_leases
from neuromfa.graph.connection import Connection, WriteAccess
from neuromfa.graph.schema import current_version, ensure_schema, stored_version
from neuromfa.graph.stored_samples import StoredSamples
from neuromfa.graph.stored_series import StoredSeries
from neuromfa.graph.user_cypher import Bounds, FreeQuery, Table
from neuromfa.graph.user_cypher.child_process import ask_apart
from neuromfa.servers.arcadedb_server import EmbeddedServer


class GraphStore(StoredSeries, StoredSamples):
    """A graph store that is open; `open_store` makes one.

    All methods are synchronous and may be called from several threads. Failures are the `StoreError` family.

    Parameters
    ----------
    connection : to the server
    embedded : the embedded server this process holds, or None
    """

    def __init__(self, connection: Connection, *, embedded: EmbeddedServer | None = None) -> None:
        super().__init__(connection)
        self._embedded = embedded

    def close(self) -> None:
        """Close all connections; the last user of an embedded store stops its server."""
        self._connection.close()
        if self._embedded is not None:
            self._embedded.close()

    def __enter__(self) -> "GraphStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Bolt address of the server."""
        return self._connection.uri

    @property
    def write_access(self) -> WriteAccess:
        """What `open_shared` of another process takes; an embedded store is reached from this machine alone."""
        return self._connection.write_access

    def ping(self) -> None:
        """Ask the server the shortest question; raises `StoreUnavailable` when it is away."""
        self.read(lambda transaction: transaction.rows("read/ping"), timeout_s=5.0)

    def versions(self) -> dict[str, str | int | None]:
        """Return the server's name and version, its address, and the schema version of store and program."""
        return {
            "server": self._connection.agent,
            "dialect": self._connection.dialect.name,
            "address": self.address,
            "schema_version": stored_version(self._connection),
            "schema_version_known": current_version(),
        }

    def counts(self) -> dict[str, int]:
        """Return how many models, checkpoints, samples, spectra and neurons there are."""
        return dict(self.read(lambda transaction: transaction.rows("read/counts")[0]))

    def ensure_schema(self) -> None:
        """Bring the store to this program's schema; `SchemaMismatch` for a newer one or another tool's."""
        ensure_schema(self._connection)

    def sweep(self) -> int:
        """Delete what killed writers left behind; return how many samples."""
        return sample_leases.sweep(self._connection)

    def ask(
        self,
        text: str,
        parameters: dict[str, Any] | None = None,
        *,
        bounds: Bounds | None = None,
        given_up: Callable[[], bool] = lambda: False,
    ) -> Table:
        """Run any Cypher text that only reads the graph, in a process of its own that can be ended.

        Parameters
        ----------
        bounds : most rows, bytes, seconds and memory
        given_up : asked again and again; True ends the query

        Raises
        ------
        QueryRefused : it wants more than to read the graph, or the server cannot understand it
        QueryTimeout, QueryTooLarge : it reached a bound
        """
        self.ping()  # brings back an embedded server that is gone
        query, bounds = FreeQuery(text, parameters or {}), bounds or Bounds()
        return ask_apart(self._connection.read_access, query, bounds, given_up=given_up)
