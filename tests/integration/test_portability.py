"""Every query text: headed, with the parameters it declares, in the Cypher both servers speak, and by an index."""

import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest

from neuromfa.app.neo4j_browser.queries import saved_queries
from neuromfa.graph import GraphStore
from neuromfa.graph.cypher_files import KIND_PLACE
from neuromfa.graph.dialects import ARCADEDB
from tests.integration.conftest import SERVERS, driver_of
from tests.integration.making import OPTIONS, make_graph, make_result

FOLDERS = ("schema", "write", "read", "explore")
MODEL = "tests/portable"

DENIED = {
    r"\bapoc\.|\bgds\.": "plugins are not on every server",
    r"\bid\s*\(|\belementId\s*\(": "the servers' own ids are reused and differ between servers",
    r"\bSHORTEST\s+\d|\b(ALL|ANY)\s+SHORTEST\b": "SHORTEST k is not on ArcadeDB, and allows no sum of weights",
    r"\[[^\]]*\*\s*(\d+\s*\.\.\s*)?\]": "a path of any length may never end",
    r"\bNODE KEY\b|\bIS ::|\bIS TYPED\b|REQUIRE [^\n]* IS NOT NULL": "only uniqueness is on every server; ArcadeDB "
    "turns integers into texts under a typed constraint",
    r"\bCALL\s+(db|dbms|tx)\b|\bSHOW\b|\bUSE\b|\bTERMINATE\b": "procedures and administration differ",
    r"\bLOAD\s+CSV\b": "no query reads files",
    r"\bIN\s+TRANSACTIONS\b": "only runs outside a transaction, and ours run inside one",
    r"\bUSING\s+(INDEX|SCAN|JOIN|PERIODIC)\b": "hints are not on ArcadeDB",
    r"^\s*(CYPHER|EXPLAIN|PROFILE)\b": "who runs a query decides that",
    r"\bexists\s*\(|\bsize\s*\(\s*\(": "gone from later Cypher: use IS NOT NULL and COUNT { }",
    r";": "one statement a file",
    r"\bdatetime\s*\(|\bdate\s*\(|\brand\s*\(|randomUUID": "what a query gives depends on its parameters only",
}
# plain round() takes halves up, numpy and the method take them to even; to show a number either will do
DENIED_IN_ANSWERS = {
    r"\bround\s*\((?![^\n]*'HALF_EVEN'\))": "round(x) is not numpy's: give the mode HALF_EVEN"
}

UNORDERED = {
    "read/any_node": "any node will do",
    "write/delete_neurons": "all of them go, in any order",
    "read/undescribed_spectra": "all of them are described, in any order",
}
SCANNING = {
    "read/any_node": "asked once, of a store without a schema",
    "read/counts": "counts of labels come from the count store",
    "read/ping": "reads nothing",
    "read/abandoned_samples": "asked at start-up; looks at samples, of which there are few",
    "read/jobs": "the list of jobs",
    "read/unit_rates": "asked for a plan",
    "read/undescribed_spectra": "asked when an older store is brought to this schema",
    "write/neurons": "makes nodes and finds none",
    "write/mark_models": "asked when an older store is brought to this schema; models are few",
}
PAIRING = {
    "write/link_sample": "one checkpoint with one sample",
    "write/link_spectrum": "one checkpoint with one spectrum",
}
SCANS = ("AllNodesScan", "NodeByLabelScan")
SEEKS = ("NodeIndexSeek", "NodeUniqueIndexSeek", "NodeUniqueIndexSeekByRange")
SEEKS += ("MergeUniqueNode",)  # of Neo4j 2026: finds by the unique index, and makes what it does not find


def contents() -> dict[str, str]:
    found = {}
    for folder in FOLDERS:
        for entry in (files("neuromfa.cypher") / folder).iterdir():
            if entry.name.endswith(".cypher"):
                name = f"{folder}/{entry.name.removesuffix('.cypher')}"
                found[name] = entry.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


TEXTS = contents()
every_query = pytest.mark.parametrize("name", TEXTS)


def body(name: str) -> str:
    return "\n".join(line for line in TEXTS[name].splitlines() if not line.startswith("//"))


def in_words(text: str) -> str:
    """The text without what stands in quotes."""
    return re.sub(r"'[^']*'", "''", text)


def declared(name: str) -> list[str]:
    [line] = re.findall(r"^// Parameters: (.*)$", TEXTS[name], re.M)
    return re.findall(r"\$(\w+)", line)


def test_all_folders_are_looked_at() -> None:
    present = {
        entry.name for entry in files("neuromfa.cypher").iterdir() if entry.is_dir() and entry.name[0] != "_"
    }
    assert present == set(FOLDERS)
    assert len(TEXTS) > 80
    exceptions = UNORDERED | SCANNING | PAIRING
    assert set(exceptions) <= set(TEXTS), "an exception for a query that is gone"


@every_query
def test_the_header_says_what_for_and_with_which_parameters(name: str) -> None:
    lines = TEXTS[name].splitlines()
    assert re.fullmatch(r"// Purpose: [a-z].{5,}", lines[0])
    header = "\n".join(lines[: next(i for i, line in enumerate(lines) if not line.startswith("//"))])
    assert re.search(r"^// Parameters: (none|\$\w+.*)$", header, re.M)
    used = set(re.findall(r"\$(\w+)", body(name)))
    assert set(declared(name)) == used
    assert len(declared(name)) == len(used), "a parameter is declared twice"
    assert all(len(line) <= 130 for line in lines)
    assert TEXTS[name].endswith("\n")
    assert "//" not in body(name).replace("://", ""), "comments stand in the header"


@every_query
def test_only_what_both_servers_speak(name: str) -> None:
    text = in_words(body(name))
    for pattern, reason in DENIED.items():
        assert not re.search(pattern, text, re.M | re.I), f"{name}: {reason}"
    if not name.startswith("explore/"):
        for pattern, reason in DENIED_IN_ANSWERS.items():
            assert not re.search(pattern, body(name), re.I), f"{name}: {reason}"


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (n) RETURN id(n)",
        "MATCH (n) RETURN elementId(n)",
        "CALL apoc.util.sleep(1)",
        "MATCH p = SHORTEST 2 (a)-[:FEEDS]-+(b) RETURN p",
        "MATCH (a)-[:FEEDS*]->(b) RETURN b",
        "MATCH (a)-[:FEEDS*2..]->(b) RETURN b",
        "CREATE CONSTRAINT FOR (n:N) REQUIRE n.x IS NOT NULL",
        "CREATE CONSTRAINT FOR (n:N) REQUIRE n.x IS :: INTEGER",
        "CREATE CONSTRAINT FOR (n:N) REQUIRE (n.x, n.y) IS NODE KEY",
        "CALL db.awaitIndexes()",
        "LOAD CSV FROM $x AS row RETURN row",
        "CYPHER 5 RETURN 1",
        "MATCH (n) CALL (n) { SET n.x = 1 } IN TRANSACTIONS",
        "MATCH (n:N) USING INDEX n:N(x) RETURN n",
        "MATCH (n) WHERE exists(n.x) RETURN n",
        "RETURN 1; RETURN 2",
    ],
)
def test_the_lint_sees_what_it_denies(text: str) -> None:
    assert any(re.search(pattern, text, re.M | re.I) for pattern in DENIED)


@pytest.mark.parametrize(
    "text",
    [
        "MATCH p = shortestPath((a)-[:FEEDS*1..5]->(b)) RETURN p",
        "MATCH (n) WHERE n.x IS NOT NULL AND EXISTS { (n)-->() } RETURN size(n.list)",
        "MATCH (n) CALL (n) { MATCH (n)-->(m) RETURN m } RETURN m.index, m.used",
        "RETURN [x IN $list WHERE x * 2 > 1] AS valid",
    ],
)
def test_the_lint_lets_the_rest_pass(text: str) -> None:
    assert not any(re.search(pattern, text, re.M | re.I) for pattern in DENIED)


@every_query
def test_a_part_of_the_rows_is_taken_in_an_order(name: str) -> None:
    """LIMIT and collect()[..n] take other rows on the other server unless an ORDER BY stands before."""
    for found in re.finditer(r"\bLIMIT\b|\bSKIP\b|\bhead\(collect\(", body(name)):
        before = body(name)[: found.start()]
        assert "ORDER BY" in before or name in UNORDERED or name.startswith("explore/"), name


# on the servers


@pytest.fixture(scope="module", params=SERVERS)
def prepared(request: pytest.FixtureRequest) -> Iterator[GraphStore]:
    """Each server with a small sample and result in it, so that every query finds something to do."""
    server = request.getfixturevalue(f"{request.param}_server")
    with server.open() as store:
        store.write_model(MODEL, source="made by a test")
        store.write_checkpoint(MODEL, 0, revision="step0")
        store.write_result(MODEL, make_result("portable"), OPTIONS)
        store.write_sample(MODEL, 0, make_graph("portable", blocks=4, width=24))
        if store._connection.dialect is not ARCADEDB:
            # plans follow statistics, and those of indexes that were empty a moment ago say nothing
            with driver_of(store).session() as session:
                session.run("CALL db.prepareForReplanning(60)").consume()
        yield store


Plan = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def plan(prepared: GraphStore) -> Plan:
    """A way to the plan of a query, under EXPLAIN or PROFILE."""

    def look(how: str, name: str) -> dict[str, Any]:
        text = body(name).replace(KIND_PLACE, ":Mlp")
        with driver_of(prepared).session(database=prepared._connection._database) as session:
            summary = session.run(f"{how} {text}", values_for(prepared, name)).consume()
        found = summary.profile if how == "PROFILE" else summary.plan
        return dict(found or {})

    return look


def values_for(store: GraphStore, name: str) -> dict[str, Any]:
    """Return a value that fits for every parameter of a query."""
    folder, _, stem = name.partition("/")
    if folder == "explore":
        return dict(saved_queries()[stem].examples)
    manifest = store.sample(MODEL, 0, 0)
    key, columns = manifest.first_key, {"source": [0], "target": [0], "distance": [1.0], "weight": [1.0]}
    known: dict[str, Any] = {
        "sample": manifest.number,
        "samples": [manifest.number],
        "before": manifest.number,
        "after": manifest.number,
        "layer": 0,
        "layers": 2,
        "jobs": ["portable"],
        "first": 0,
        "last": 2,
        "key": key,
        "keys": [key, key + 1],
        "sources": [key + 6],
        "targets": [key + 24],
        "frontier": {"relax_pairs": [[key, key, 0.0]], "relax_boxes": [[key, 0.0, 0]]}.get(
            stem, [[key, 0.0]]
        ),
        "longest": 150.0,
        "shortest": 0.0,
        "range": 150.0,
        "largest": 150,
        "top": 3,
        "limit": 3,
        "skip": 0,
        "seed": 0,
        "step": 0,
        "rank": 0,
        "kind": None,
        "status": None,
        "properties": {},
        "model": MODEL,
        "models": [MODEL],
        "options_hashes": ["portable"],
        "checkpoint": f"{MODEL}@0",
        "name": "B00.input.00000",
        "ids": ["portable"],
        "id": {"checkpoint": f"{MODEL}@0", "model": MODEL}.get(stem, "portable"),
        **(columns if {"source", "target"} <= set(declared(name)) else {}),
    }
    if stem in ("models", "checkpoints"):
        known["after"] = {"models": "", "checkpoints": -2}[stem]
    return {parameter: known.get(parameter) for parameter in declared(name)}


@every_query
def test_both_servers_understand_it(plan: Plan, prepared: GraphStore, name: str) -> None:
    found = plan("EXPLAIN", name)
    assert found or prepared._connection.dialect is ARCADEDB, "no plan"
    if prepared._connection.dialect is not ARCADEDB:
        check_operators(name, operators(found))
    elif name not in SCANNING and not name.startswith("explore/"):
        assert "NodeByLabelScan" not in plan_text(found), name


def check_operators(name: str, found: list[str]) -> None:
    if name.startswith("schema/"):
        return
    if name not in SCANNING:
        assert any(operator in SEEKS for operator in found), f"{name} finds nothing by an index: {found}"
        assert not any(operator in SCANS for operator in found), f"{name} scans: {found}"
    if name not in PAIRING:
        assert "CartesianProduct" not in found, f"{name} pairs everything with everything"


def operators(found: dict[str, Any]) -> list[str]:
    own = re.split(r"[@(]", found["operatorType"])[0]
    return [own, *(operator for child in found.get("children", []) for operator in operators(child))]


def plan_text(found: dict[str, Any]) -> str:
    return str(found.get("args", {}).get("string-representation", ""))


@pytest.mark.parametrize(
    "name", [name for name in TEXTS if name.startswith("read/") and name not in SCANNING]
)
def test_reads_begin_at_an_index(plan: Plan, prepared: GraphStore, name: str) -> None:
    """ArcadeDB says which index it took only of a query that was run."""
    found = plan("PROFILE", name)
    if prepared._connection.dialect is not ARCADEDB:
        check_operators(name, operators(found))
        return
    check_steps(plan_text(found))


def check_steps(text: str) -> None:
    """Every step of an ArcadeDB plan that looks for nodes has an index, or goes on from a node found before."""
    looked = re.findall(r"^.*(?:MATCH NODE|NodeIndex|NodeByLabel|AllNodes).*$", text, re.M)
    assert looked, text
    for line in looked:
        node = re.search(r"MATCH NODE \(\s*(\w+)\)", line)
        if node is not None:
            before = text[: text.index(line)]
            assert re.search(rf"\(\s*{node[1]}[:)]", before), f"a scan of all nodes: {text}"
        else:
            assert re.search(r"\[index|NodeIndex(Seek|RangeScan)", line), text


def test_the_check_of_steps_sees_a_scan() -> None:
    check_steps("+ MATCH NODE (n:Neuron) [index: Neuron[key]]\n    + MATCH NODE (n) (3 rows)")
    check_steps("+ NodeIndexSeek(n:Neuron) [index=neuron_layer]")
    for text in (
        "+ MATCH NODE (a) (589 rows)\n+ MATCH RELATIONSHIP (a)-[r:FEEDS]->(b)",
        "+ MATCH NODE (a:Neuron) (589 rows)",
        "+ NodeByLabelScan(s:Sample)",
        "+ MATCH NODE (n:Neuron) [index: Neuron[key]]\n+ MATCH NODE (a) (589 rows)",
    ):
        with pytest.raises(AssertionError):
            check_steps(text)
