"""Nothing that reads can write: a corpus of writes through every way a read can take, on both servers.

Each layer is tried alone as well: the session or user a read has (`store.read`), the server's own plan, and the check
of the text before anything is sent (tests/unit/test_free_cypher.py).
"""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from neuromfa.errors import NotStored, QueryRefused, QueryTimeout, QueryTooLarge, StoreError
from neuromfa.graph import GraphStore
from neuromfa.graph.connection import Transaction
from neuromfa.graph.user_cypher import Bounds, FreeQuery, Table, run
from neuromfa.servers.neo4j_server import BARRIER
from tests.integration.conftest import Server

ROOT = Path(__file__).parents[2]
PREY = "prey of tests/integration/test_barrier.py"

WRITES = (
    "CREATE (:Intruder)",
    "create(:Intruder)",
    "INSERT (:Intruder)",
    "MERGE (:Intruder {id: 1})",
    "MERGE (p:Prey {value: 1}) ON MATCH SET p.value = 2",
    "MATCH (p:Prey) SET p.value = 2",
    "MATCH (p:Prey) SET p += {value: 2} RETURN p",
    "MATCH (p:Prey) SET p = {value: 2}",
    "MATCH (p:Prey) SET p:Intruder",
    "MATCH (p:Prey) REMOVE p.value",
    "MATCH (p:Prey) REMOVE p:Prey",
    "MATCH (p:Prey) DETACH DELETE p",
    "MATCH (p:Prey)-[r:KNOWS]->(q) DELETE r, p, q",
    "MATCH (:Prey)-[r:KNOWS]->() DELETE r",
    "MATCH (:Prey)-[r:KNOWS]->() NODETACH DELETE r",
    "MATCH (:Prey)-[r:KNOWS]->() SET r.w = 2",
    "MATCH (p:Prey) CREATE (p)-[:KNOWS]->(p)",
    "MATCH (p:Prey) FOREACH (x IN [1] | SET p.value = 2)",
    "MATCH (p:Prey) WITH p LIMIT 1 CALL { CREATE (:Intruder) } RETURN p",
    "CALL { CREATE (:Intruder) } RETURN 1",
    "CALL { WITH 1 AS x CREATE (i:Intruder) RETURN i } RETURN i",
    "MATCH (p:Prey) CALL (p) { SET p.value = 2 } RETURN p",
    "MATCH (p:Prey) CALL { WITH p DETACH DELETE p } RETURN 1",
    "UNWIND [1] AS i CALL (i) { CREATE (:Intruder {id: i}) } IN TRANSACTIONS OF 1 ROWS RETURN i",
    "UNWIND [1] AS i CALL (i) { MATCH (p:Prey) DETACH DELETE p } IN TRANSACTIONS",
    "RETURN 1 AS x UNION CREATE (:Intruder) RETURN 1 AS x",
    "OPTIONAL MATCH (n:Nothing) MERGE (i:Intruder) RETURN i",
    "/* a comment */ CREATE (:Intruder)",
    "// a comment\nCREATE (:Intruder)",
    "MATCH (p:Prey) // a comment\rDETACH DELETE p",
    "MATCH (p:Prey) WHERE p.value <> '/*' DETACH DELETE p //*/",
    "RETURN 1; CREATE (:Intruder)",
    "MATCH (p:Prey) RETURN p; MATCH (p:Prey) DETACH DELETE p",
    "CYPHER planner=dp CREATE (:Intruder)",
    "CR\\u0045ATE (:Intruder)",
    "CREATE INDEX intruder IF NOT EXISTS FOR (n:Intruder) ON (n.id)",
    "CREATE CONSTRAINT intruder IF NOT EXISTS FOR (n:Intruder) REQUIRE n.id IS UNIQUE",
    "DROP INDEX neuron_layer IF EXISTS",
    "DROP CONSTRAINT model_id IF EXISTS",
    "CREATE USER intruder SET PASSWORD 'long enough for it'",
    "ALTER USER neo4j SET PASSWORD 'long enough for it'",
    "DROP USER neo4j",
    "CREATE DATABASE intruder",
    "DROP DATABASE neo4j",
    "CALL db.createLabel('Intruder')",
    "CALL db.createProperty('intruder')",
    "CALL apoc.create.node(['Intruder'], {})",
    "CALL apoc.cypher.doIt('CREATE (:Intruder)', {})",
    "LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l",
    "LOAD CSV WITH HEADERS FROM 'file:///etc/hosts' AS l CREATE (:Intruder)",
    "CALL { LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l } RETURN l",
)
# Texts one server takes as a harmless read, or answers without a word although it refused to write.
TRICKS = (
    "EXPLAIN CREATE (:Intruder)",
    "PROFILE CREATE (:Intruder)",
    "PROFILE MATCH (p:Prey) SET p.value = 2 RETURN p",
    "PROFILE MATCH (p:Prey) DETACH DELETE p",
    "MATCH (p:Prey) WHERE p.value = '\\u0027 DETACH DELETE p //' RETURN p",
    "MATCH (p:Prey) WHERE p.value = '\\' OR true DETACH DELETE p //' RETURN p",
    "MATCH (p:Prey) // \u2028 DETACH DELETE p",
    "MATCH (p:Prey) // \x85 DETACH DELETE p",
    "MATCH (p:Prey) \uff33\uff25\uff34 p.value = 2",
    "MATCH (p:Prey) \u017fET p.value = 2",
    "MATCH (p:Prey) D\u0045\u200bTACH DELETE p",
)
# Reads that leave the graph: a read of ours may use them, a query of a user's may not.
FOREIGN = (
    "SHOW USERS",
    "SHOW SETTINGS",
    "SHOW TRANSACTIONS",
    "SHOW INDEXES YIELD name RETURN name",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-99999999'",
    "CALL dbms.components()",
    "CALL dbms.components() YIELD name RETURN name",
    "CALL dbms.listConfig()",
    "CALL dbms.killConnection('bolt-99999999')",
    "CALL db.labels() YIELD label RETURN label",
    "CALL { CALL db.labels() YIELD label RETURN label } RETURN label",
    "MATCH (p:Prey) CALL db.labels() YIELD label RETURN label",
    "UNWIND [1] AS i CALL (i) { RETURN i AS j } IN TRANSACTIONS RETURN j",
)
PREFIXES = ("EXPLAIN RETURN 1", "PROFILE RETURN 1", "CYPHER runtime=slotted RETURN 1", "USE neo4j RETURN 1")
HEAVY = "UNWIND range(1, 10000) AS a UNWIND range(1, 10000) AS b UNWIND range(1, 100) AS c RETURN sum(a * b + c) AS s"


@pytest.fixture
def prey(server: Server, store: GraphStore) -> Iterator[GraphStore]:
    """A store with something to change in it: two nodes and a relationship."""
    server.raw("CREATE (:Prey {value: 1, of: $of})-[:KNOWS {w: 1}]->(:Prey {value: 1, of: $of})", of=PREY)
    yield store
    server.raw("MATCH (p:Prey {of: $of}) DETACH DELETE p", of=PREY)


def state(store: GraphStore) -> dict[str, Any]:
    """Return what a write would change: counts, labels, what the prey holds, and the schema."""

    def work(transaction: Transaction) -> dict[str, Any]:
        return {
            text: transaction.rows_of(text, {})  # type: ignore[arg-type]
            for text in (
                "MATCH (n) RETURN count(n) AS n",
                "MATCH ()-[r]->() RETURN count(r) AS n",
                "MATCH (n) UNWIND labels(n) AS label RETURN label, count(n) AS n ORDER BY label",
                "MATCH (p:Prey)-[r:KNOWS]->(q) RETURN properties(p) AS p, properties(r) AS r, properties(q) AS q",
                "SHOW INDEXES YIELD name RETURN name ORDER BY name",
            )
        }

    return store.read(work)


def read(store: GraphStore, text: str) -> list[dict[str, Any]]:
    """Send a text where all reads go."""
    return store.read(lambda transaction: transaction.rows_of(text, {}))  # type: ignore[arg-type]


def ask(store: GraphStore, text: str, **parameters: Any) -> Table:
    """Ask a query of a user's in this process, which is quicker than one of its own."""
    return run.ask(store._connection, FreeQuery(text, parameters), Bounds(seconds=20))


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Free Cypher without the check of its text: what is left is the server."""
    monkeypatch.setattr(run, "check_text", lambda text: None)


# the session or the user that reads have


def test_no_write_passes_where_reads_go(prey: GraphStore) -> None:
    before = state(prey)
    for text in WRITES:
        with pytest.raises(StoreError):
            read(prey, text)
        assert state(prey) == before, text


def test_no_trick_writes_where_reads_go(prey: GraphStore) -> None:
    before = state(prey)
    for text in TRICKS:
        try:
            read(prey, text)
        except StoreError:
            pass
        assert state(prey) == before, text


def test_no_parameter_becomes_a_query(prey: GraphStore) -> None:
    before = state(prey)
    for text in (*WRITES, *TRICKS, "'}) DETACH DELETE (n) //", "a`) DETACH DELETE (n"):
        for name, parameters in (
            ("model", {"id": text}),
            ("checkpoint", {"id": text}),
            ("job", {"id": text}),
        ):
            assert prey.query(name, parameters) == []
        with pytest.raises(NotStored):
            prey.model(text)
        with pytest.raises(StoreError, match="no query"):
            prey.query(text, {})
    assert state(prey) == before


# queries of users


def test_no_write_passes_as_a_free_query(prey: GraphStore) -> None:
    before = state(prey)
    for text in (*WRITES, *TRICKS, *FOREIGN, *PREFIXES):
        with pytest.raises(QueryRefused):
            prey.ask(text)
    assert state(prey) == before


def test_the_server_alone_refuses_free_writes(prey: GraphStore, unchecked: None) -> None:
    before = state(prey)
    for text in WRITES:
        with pytest.raises(QueryRefused):
            ask(prey, text)
        assert state(prey) == before, text


def test_the_plan_alone_refuses_what_leaves_the_graph(prey: GraphStore, unchecked: None) -> None:
    if not prey._connection.dialect.explains:
        pytest.skip("this server does not tell its plan: there the check of the text is the only one")
    for text in FOREIGN:
        with pytest.raises(QueryRefused, match="operator|type s|procedure"):
            ask(prey, text)


def test_reads_pass_and_come_as_plain_json(prey: GraphStore) -> None:
    table = ask(
        prey,
        "// CREATE in a comment\nMATCH p = (a:Prey)-[r:KNOWS]->(b) RETURN a, r, p, 'SET', a.value / 0.0 AS x, $y AS y",
        y=[1, {"é": None}],
    )
    assert table.columns[:3] == ["a", "r", "p"]
    node, relationship, path, text, x, y = table.rows[0]
    assert (node["kind"], node["labels"]) == ("node", ["Prey"])
    assert node["properties"] == {"value": 1, "of": PREY}
    assert (relationship["kind"], relationship["type"], relationship["properties"]) == (
        "relationship",
        "KNOWS",
        {"w": 1},
    )
    assert [one["id"] for one in path["nodes"]] == [relationship["start"], relationship["end"]]
    assert relationship["start"] == node["id"]
    assert [one["type"] for one in path["relationships"]] == ["KNOWS"]
    assert (text, x, y) == ("SET", None, [1, {"é": None}])
    assert (table.not_finite, table.truncated) == (1, None)


@pytest.mark.parametrize(
    "text",
    [
        "CALL { MATCH (p:Prey) RETURN count(p) AS n } RETURN n",
        "MATCH (p:Prey) CALL (p) { MATCH (p)-[:KNOWS]-(q) RETURN count(q) AS c } RETURN sum(c) AS n",
        "MATCH (p:Prey) WHERE EXISTS { (p)-[:KNOWS]-() } RETURN count(p) AS n",
        "OPTIONAL MATCH (p:Prey) RETURN count(p) AS n;",
        "UNWIND [2] AS n RETURN n UNION RETURN 2 AS n",
        "WITH date('2024-02-29') AS d RETURN d.month AS n",
    ],
)
def test_subqueries_and_functions_of_cypher_pass(prey: GraphStore, text: str) -> None:
    assert ask(prey, text).rows == [[2]]


def test_what_the_server_cannot_understand_is_refused(prey: GraphStore) -> None:
    for text in (
        "MATCH (n RETURN n",
        "RETURN nothing",
        "RETURN $missing",
        "RETURN 1 / 0",
        "RETURN nothing(1)",
    ):
        with pytest.raises(QueryRefused, match="cannot run this query"):
            ask(prey, text)


# files and addresses


def test_load_csv_reads_no_file(server: Server, prey: GraphStore, unchecked: None, tmp_path: Path) -> None:
    folders = [tmp_path]
    if server.neo4j is not None:
        folders.append(server.neo4j.folder / "import")
    for folder in folders:
        (folder / "secret.csv").write_text("a secret\n")
    addresses = [(tmp_path / "secret.csv").as_uri(), "file:///secret.csv", "file:secret.csv", "secret.csv"]
    for address in (*addresses, "file:///../import/secret.csv", "file:///etc/passwd"):
        text = f"LOAD CSV FROM '{address}' AS line RETURN line"
        for way in (read, ask):
            with pytest.raises(StoreError) as refusal:
                way(prey, text)
            assert "a secret" not in str(refusal.value)


def test_load_csv_calls_no_address(prey: GraphStore, unchecked: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"):
            for way in (read, ask):
                with pytest.raises(StoreError):
                    way(prey, f"LOAD CSV FROM 'http://{host}:{port}/x.csv' AS line RETURN line")
        with pytest.raises(TimeoutError):
            listener.accept()


def test_compose_has_the_barrier_of_the_home() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["neo4j"]["environment"]
    assert {
        name: compose.get("NEO4J_" + name.replace("_", "__").replace(".", "_")) for name in BARRIER
    } == BARRIER


@pytest.mark.neo4j
@pytest.mark.xdist_group("neo4j")
def test_the_running_server_has_the_barrier(neo4j_server: Server) -> None:
    if neo4j_server.neo4j is None:
        pytest.skip("settings of a Neo4j that the tests started")
    shown = dict(neo4j_server.raw("SHOW SETTINGS YIELD name, value"))
    assert shown["dbms.security.allow_csv_import_from_file_urls"] == "false"
    assert shown["server.directories.import"].endswith("import")
    assert shown["db.transaction.timeout"] == BARRIER["db.transaction.timeout"]
    assert shown["db.memory.transaction.max"] == "256.00MiB"


# bounds


def test_rows_and_bytes_are_bounded(store: GraphStore) -> None:
    long = "UNWIND range(1, 500000) AS x RETURN x"
    table = store.ask(long, bounds=Bounds(rows=3))
    assert (table.rows, table.truncated) == ([[1], [2], [3]], "rows")
    table = store.ask(long, bounds=Bounds(rows=10_000, bytes=30))
    assert (table.rows, table.truncated) == ([[x] for x in range(1, 10)], "bytes")
    whole = store.ask("UNWIND range(1, 3) AS x RETURN x", bounds=Bounds(rows=3))
    assert (whole.rows, whole.truncated) == ([[1], [2], [3]], None)


def test_a_record_that_is_too_large_ends_its_process_only(store: GraphStore) -> None:
    huge = "RETURN [x IN range(1, 1000000) | toString(x) + ' is a number'] AS texts"
    with pytest.raises(QueryTooLarge):
        store.ask(huge, bounds=Bounds(memory=20_000_000, seconds=30))
    assert store.ask("RETURN 1 AS x").rows == [[1]]


@pytest.mark.slow
def test_time_is_bounded(store: GraphStore) -> None:
    begun = time.monotonic()
    with pytest.raises(QueryTimeout):
        store.ask(HEAVY, bounds=Bounds(seconds=1))
    assert time.monotonic() - begun < 20
    store.ping()


@pytest.mark.slow
@pytest.mark.neo4j
@pytest.mark.xdist_group("neo4j")
def test_an_expression_the_server_cannot_stop_is_given_up(neo4j_server: Server) -> None:
    endless = "RETURN reduce(s = 0, x IN range(1, 300000000) | s + x) AS s"
    with neo4j_server.open() as store:
        begun = time.monotonic()
        with pytest.raises(QueryTimeout):
            store.ask(endless, bounds=Bounds(seconds=0.5))
        assert time.monotonic() - begun < 20
        store.ping()


def test_a_query_nobody_waits_for_is_ended(store: GraphStore) -> None:
    gone = threading.Event()
    threading.Timer(0.5, gone.set).start()
    begun = time.monotonic()
    with pytest.raises(QueryTimeout, match="given up"):
        store.ask(HEAVY, bounds=Bounds(seconds=60), given_up=gone.is_set)
    assert time.monotonic() - begun < 20


@pytest.mark.neo4j
@pytest.mark.xdist_group("neo4j")
def test_memory_is_bounded_and_not_tried_again(neo4j_server: Server) -> None:
    greedy, tries = "UNWIND range(1, 20000000) AS x WITH x ORDER BY x DESC RETURN x LIMIT 5000000", []

    def work(transaction: Transaction) -> None:
        tries.append(1)
        transaction.rows_of(greedy, {})

    with neo4j_server.open() as store:
        with pytest.raises(QueryTooLarge, match="db.memory.transaction.max"):
            store.read(work)
        assert tries == [1]
        with pytest.raises(QueryTooLarge):
            store.ask(greedy, bounds=Bounds(seconds=60))
        store.ping()
