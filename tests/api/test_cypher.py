"""Free Cypher over REST: off until it is switched on, then reads only, bounded, and every refusal a problem."""

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from neuromfa.app.concurrency_limit import Seats
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore
from tests.api.conftest import LOOPBACK, strict_json
from tests.api.test_contracts import check
from tests.integration.test_barrier import FOREIGN, HEAVY, TRICKS, WRITES
from tests.serving import served

KEY = "a-key-of-some-length"
ROWS = "UNWIND range(1, 50) AS x RETURN x"


def service(store: GraphStore, **settings: Any) -> TestClient:
    app = create_app(Settings(**settings), store=store)
    return TestClient(app, base_url=LOOPBACK, raise_server_exceptions=False)


@pytest.fixture
def client(store: GraphStore, settings: Settings) -> Iterator[TestClient]:
    """The service with free Cypher switched on."""
    with service(store, free_cypher=True, free_cypher_rows=10) as ready:
        yield ready


def asked(client: TestClient, query: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/cypher", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    table = strict_json(answer.text)
    check(table, {"$ref": "#/components/schemas/Table"})
    return dict(table)


def refused(client: TestClient, status: int, **body: Any) -> dict[str, Any]:
    content = json.dumps(body)  # in ASCII, so that half a surrogate pair can be sent
    answer = client.post("/v1/cypher", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    check(answer.json(), {"$ref": "#/components/schemas/Problem"})
    return dict(answer.json())


def test_it_is_off_and_says_how_to_switch_it_on(store: GraphStore, settings: Settings) -> None:
    with service(store) as client:
        for body in ({"query": "RETURN 1"}, {}, {"query": "CREATE (n)"}):
            problem = refused(client, 403, **body)
            assert problem["type"] == "/problems/switched-off"
            assert "NEUROMFA_FREE_CYPHER=true" in problem["detail"]
            assert "docs/free-cypher.md" in problem["detail"]


def test_a_read_answers_columns_and_rows(client: TestClient) -> None:
    table = asked(
        client,
        "MATCH (m:Model)-[:HAS_CHECKPOINT]->(c) WHERE m.id = $id RETURN m, c.step AS step, sqrt(-1) AS x ORDER BY step",
        parameters={"id": "stdlib-14m"},
    )
    assert table["columns"] == ["m", "step", "x"]
    assert [row[1] for row in table["rows"]] == [0, 128, 512, 2000]
    assert {row[0]["properties"]["id"] for row in table["rows"]} == {"stdlib-14m"}
    assert (table["not_finite"], table["truncated"]) == (4, None)


def test_the_query_of_the_documentation_runs(client: TestClient) -> None:
    text = (Path(__file__).parents[2] / "docs" / "free-cypher.md").read_text(encoding="utf-8")
    body = re.search(r"-d '\n(.*?)'\n", text, re.DOTALL)
    assert body is not None
    table = asked(client, **json.loads(body[1]))
    assert table["columns"] == ["neuron", "nfd"]
    assert [name.split(".")[1] for name, _ in table["rows"]] == ["mlp", "mlp"]


def test_rows_are_bounded_by_request_and_setting(client: TestClient) -> None:
    for limit, rows in ((3, 3), (10_000, 10)):
        table = asked(client, ROWS, limit=limit)
        assert (len(table["rows"]), table["truncated"]) == (rows, "rows")


def test_bytes_are_bounded_by_the_setting(store: GraphStore, settings: Settings) -> None:
    with service(store, free_cypher=True, free_cypher_bytes=10_000) as client:
        table = asked(client, "UNWIND range(1, 500) AS x RETURN x, 'a text of twenty-three' AS text")
        assert (table["truncated"], 100 < len(table["rows"]) < 400) == ("bytes", True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "body.query"),
        ({"query": ""}, "body.query"),
        ({"query": "RETURN 1" + " " * 10_000}, "body.query"),
        ({"query": ["RETURN 1"]}, "body.query"),
        ({"query": "RETURN 1", "limit": 0}, "body.limit"),
        ({"query": "RETURN 1", "limit": 10_001}, "body.limit"),
        ({"query": "RETURN 1", "parameters": []}, "body.parameters"),
        ({"query": "RETURN 1", "parameters": {str(k): k for k in range(101)}}, "body.parameters"),
        ({"query": "RETURN 1", "access": "WRITE"}, "body.access"),
        ({"query": "RETURN $x", "parameters": {"x": 2**63}}, "beyond 64 bits"),
        ({"query": "RETURN $x", "parameters": {"x": "\ud800"}}, "surrogate"),
        ({"query": "RETURN \ud800"}, ""),
        ({"query": "RETURN $x"}, "ParameterMissing"),
        ({"query": "MATCH (n RETURN n"}, "SyntaxError"),
        ({"query": "CALL db.labels()"}, "procedures are refused (CALL db)"),
        ({"query": "LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l"}, "not with 'LOAD'"),
        ({"query": "MATCH (n) DETACH DELETE n"}, "DETACH is refused"),
        ({"query": "RETURN 1; RETURN 2"}, "more than one statement"),
    ],
)
def test_what_is_refused_says_why(client: TestClient, body: Any, words: str) -> None:
    assert words in refused(client, 422, **body)["detail"]


def test_no_write_passes(client: TestClient, store: GraphStore) -> None:
    before = store.counts()
    for text in (*WRITES, *TRICKS, *FOREIGN):
        assert refused(client, 422, query=text)["type"] == "/problems/query-refused"
    for text in ("'}) DETACH DELETE (n) //", WRITES[0], TRICKS[-1]):
        assert asked(client, "RETURN $x AS x", parameters={"x": text})["rows"] == [[text]]
    assert store.counts() == before


def test_a_key_that_is_set_is_asked_for(store: GraphStore, settings: Settings) -> None:
    with service(store, free_cypher=True, api_key=KEY) as client:
        for headers in ({}, {"Authorization": f"Bearer {KEY}x"}):
            answer = client.post("/v1/cypher", json={"query": "RETURN 1"}, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/key-needed")
        bearer = {"Authorization": f"Bearer {KEY}"}
        assert client.post("/v1/cypher", json={"query": "RETURN 1"}, headers=bearer).status_code == 200


def test_a_page_of_another_site_cannot_ask(client: TestClient) -> None:
    answer = client.post("/v1/cypher", json={"query": "RETURN 1"}, headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-page")
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.post("/v1/cypher", content='{"query": "RETURN 1"}', headers={"Content-Type": kind})
        assert answer.status_code == 422


def test_a_query_that_takes_too_long_is_a_504(store: GraphStore, settings: Settings) -> None:
    with service(store, free_cypher=True, free_cypher_timeout=0.3) as client:
        problem = refused(client, 504, query=HEAVY)
        assert problem["type"] == "/problems/query-timeout"
        assert client.get("/readyz").status_code == 200


def test_few_run_at_once(client: TestClient) -> None:
    client.app.state.free_queries = Seats(0, "free queries")  # type: ignore[attr-defined]
    assert refused(client, 429, query="RETURN 1")["type"] == "/problems/too-many"


def test_who_hangs_up_ends_the_query(filled_dir: Path, store: GraphStore, tmp_path: Path) -> None:
    switches = {"NEUROMFA_FREE_CYPHER": "true", "NEUROMFA_FREE_CYPHER_TIMEOUT": "60"}
    with served(filled_dir, tmp_path, **switches) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as caller:
            body = f'{{"query": "{HEAVY}"}}'.encode()
            head = f"POST /v1/cypher HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert within(60, lambda: children(process.pid) == 1)
        assert within(60, lambda: children(process.pid) == 0)


def children(pid: int) -> int:
    """Return how many processes a process and its threads have started and not yet seen off."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return sum(len(path.read_text().split()) for path in listed)


def within(seconds: float, holds: Any) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_the_children_of_a_process_are_seen() -> None:
    before = children(os.getpid())
    pid = os.spawnvp(os.P_NOWAIT, "sleep", ["sleep", "5"])
    assert children(os.getpid()) == before + 1
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert children(os.getpid()) == before
