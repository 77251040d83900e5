"""Every failure of a store is one sentence of ours: schema, strangers, passwords, silence, limits, forbidden writes."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from neuromfa.errors import (
    OptionError,
    QueryTimeout,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
)
from neuromfa.graph import GraphStore, Limits, open_store
from neuromfa.graph.schema import current_version, migrations
from tests.integration.conftest import QUICK, Server
from tests.integration.making import make_graph
from tests.serving import closed_port

WRITES = (
    "CREATE (n:Intruder)",
    "MATCH (n:Model) SET n.source = 'gone'",
    "MATCH (n) DETACH DELETE n",
    "MERGE (n:Intruder {id: 1})",
    "CALL { CREATE (n:Intruder) } RETURN 1",
    "UNWIND [1] AS i CALL (i) { CREATE (n:Intruder {id: i}) } RETURN i",
    "MATCH (n:Model) FOREACH (x IN [1] | CREATE (:Intruder))",
    "CREATE INDEX intruder IF NOT EXISTS FOR (n:Intruder) ON (n.id)",
    "DROP INDEX neuron_layer IF EXISTS",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "LOAD CSV FROM 'http://127.0.0.1:1/x' AS line RETURN line",
    "CALL db.createLabel('Intruder')",
)


class Proxy:
    """A way to a server that can fall silent without closing anything."""

    def __init__(self, listener: socket.socket, server_port: int) -> None:
        self.port = listener.getsockname()[1]
        self.silent, self.over = threading.Event(), threading.Event()
        self._listener, self._server_port = listener, server_port
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        self._listener.settimeout(0.05)
        while not self.over.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._threads.append(threading.Thread(target=self._relay, args=(client,)))
            self._threads[-1].start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            while not self.over.is_set():
                for ready in select.select([client, server], [], [], 0.05)[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    if not self.silent.is_set():
                        (server if ready is client else client).sendall(data)

    def close(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def silent_proxy(server_port: int) -> Iterator[Proxy]:
    """Run a proxy in front of a server."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        proxy = Proxy(listener, server_port)
        try:
            yield proxy
        finally:
            proxy.close()


@contextmanager
def schema_version(server: Server, version: int | None) -> Iterator[None]:
    """Pretend that the store was written by another version, or by another tool."""
    if version is None:
        server.raw("MATCH (v:SchemaVersion) DELETE v")
    else:
        server.raw("MATCH (v:SchemaVersion) SET v.version = $v", v=version)
    try:
        yield
    finally:
        server.raw("MERGE (v:SchemaVersion {id: 'neuromfa'}) SET v.version = $v", v=current_version())


def test_a_newer_schema_is_refused(store: GraphStore, server: Server) -> None:
    with schema_version(server, current_version() + 1):
        before = store.counts()
        with pytest.raises(SchemaMismatch, match=f"version {current_version() + 1}.*newer neuromfa"):
            server.open()
        assert store.counts() == before


def test_an_older_schema_is_migrated(store: GraphStore, server: Server, model: str, fresh: str) -> None:
    graph = make_graph(fresh)
    store.write_sample(model, 0, graph)
    server.raw("DROP INDEX neuron_name IF EXISTS")
    with schema_version(server, 0), server.open() as opened:
        assert opened.versions()["schema_version"] == current_version()
        assert opened.read_sample(model, 0, 0).n_edges == graph.n_edges
    assert [migration.version for migration in migrations()] == list(range(1, current_version() + 1))


def test_a_store_of_another_tool_is_refused(store: GraphStore, server: Server, model: str) -> None:
    with schema_version(server, None):
        before = store.counts()
        with pytest.raises(SchemaMismatch, match="another tool"):
            server.open()
        assert store.counts() == before


def test_the_schema_is_made_once(store: GraphStore) -> None:
    store.ensure_schema()
    store.ensure_schema()
    assert store.versions()["schema_version"] == store.versions()["schema_version_known"] == current_version()


def test_a_wrong_password(server: Server, store: GraphStore) -> None:
    with pytest.raises(StoreUnavailable, match="password.*old data volume"):
        open_store(uri=store.address, user="neo4j", password="wrong", limits=QUICK)


def test_a_server_that_is_down() -> None:
    with closed_port() as port:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable, match=rf"127.0.0.1:{port}.*start it"):
            open_store(uri=f"bolt://127.0.0.1:{port}", password="x", limits=QUICK)
    assert time.monotonic() - begun < 10 * QUICK.retry_s


@pytest.mark.slow
def test_something_that_is_no_store() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(StoreUnavailable, match=str(port)):
            open_store(uri=f"bolt://127.0.0.1:{port}", password="x", limits=replace(QUICK, connect_s=0.5))


@pytest.mark.parametrize(
    "uri", ["", "http://127.0.0.1:1", "bolt://127.0.0.1:notaport", "bolt://no.such.host.invalid"]
)
def test_an_address_that_is_none(uri: str) -> None:
    with pytest.raises(StoreUnavailable):
        open_store(uri=uri, password="x", limits=QUICK)


@pytest.mark.parametrize("text", WRITES)
def test_nothing_can_be_written_where_reads_go(store: GraphStore, model: str, text: str) -> None:
    before = store.counts()
    source = store.model(model).source
    with pytest.raises(StoreError):
        store.read(lambda transaction: transaction.rows_of(text, {}))
    assert store.counts() == before
    assert store.model(model).source == source
    assert store.read(lambda t: t.rows_of("MATCH (n:Intruder) RETURN count(n) AS n", {})) == [{"n": 0}]


def test_a_query_longer_than_its_limit(store: GraphStore) -> None:
    slow = "UNWIND range(1, 4000) AS a UNWIND range(1, 4000) AS b WITH a * b AS c RETURN sum(c) AS total"
    begun = time.monotonic()
    with pytest.raises(QueryTimeout, match="0.3 s"):
        store.read(lambda transaction: transaction.rows_of(slow, {}), timeout_s=0.3)
    assert time.monotonic() - begun < QUICK.query_s, "the limit asked for, not the usual one"
    store.ping()


def test_a_connection_that_falls_silent_is_cut(server: Server, store: GraphStore) -> None:
    port = int(store.address.rsplit(":", 1)[1])
    with silent_proxy(port) as proxy:
        user, password = store._connection._users[0]
        with open_store(
            uri=f"bolt://127.0.0.1:{proxy.port}",
            user=user,
            password=password,
            limits=replace(QUICK, retry_s=1.0),
        ) as own:
            own.ping()
            proxy.silent.set()
            own._connection.limits = replace(own._connection.limits, query_s=0.5)
            begun = time.monotonic()
            with pytest.raises(QueryTimeout, match="0.5 s"):
                own.models()
            assert time.monotonic() - begun < QUICK.query_s
            proxy.silent.clear()
            own._connection.limits = QUICK
            own.ping()


def test_no_limit_is_never_unlimited() -> None:
    limits = Limits(query_s=30, longest_query_s=60)
    assert limits.clamp(None) == 30
    assert limits.clamp(1000.0) == 60
    assert 0 < limits.clamp(0) < 1
    assert 0 < limits.clamp(-5) < 1


def test_named_queries_want_their_parameters(store: GraphStore, model: str) -> None:
    assert store.query("model", {"id": model})[0]["id"] == model
    with pytest.raises(OptionError, match="takes the parameters id"):
        store.query("model", {})
    with pytest.raises(OptionError, match="unknown"):
        store.query("model", {"id": model, "x": 1})
    for name in ("nothing", "../write/model", "model.cypher", ""):
        with pytest.raises(StoreError, match="no query"):
            store.query(name, {})


def test_hostile_text_stays_text(store: GraphStore, server: Server) -> None:
    named = "'}) DETACH DELETE (n) // {{7*7}} ${id}"
    hostile = f"{named} \u202e\x00"
    before = store.counts()
    store.write_model(named, source=hostile)
    assert store.model(named).source == hostile
    store.delete_model(named)
    assert store.counts() == before
