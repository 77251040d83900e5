"""Stores of earlier versions: read, told apart from what is measured now, and continued, on both servers."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neuromfa.graph import GraphStore
from neuromfa.graph.cypher_files import names, query
from neuromfa.graph.schema import current_version
from neuromfa.identity import GRAPH_VERSION
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.verify import verify
from neuromfa.method_version import METHOD_VERSION, UNVERSIONED
from neuromfa.options import AnalysisOptions
from tests.integration.conftest import SERVERS, Server, new_server

STORES = sorted((Path(__file__).parents[1] / "data" / "stores").glob("*.json.gz"))
SERIES = str(Path(__file__).parents[2] / "series" / "stdlib-14m")
SMALL: dict[str, Any] = {"samples": 3, "nodes": 4, "min_edges": 1, "q": tuple(float(q) for q in range(-3, 4))}
FIND = "MATCH (a) WHERE elementId(a) = row[0] MATCH (b) WHERE elementId(b) = row[1]"
FIND_NEURONS = "MATCH (a:Neuron {key: row[0]}) MATCH (b:Neuron {key: row[1]})"
EXACT, PAPER = AnalysisOptions(**SMALL), AnalysisOptions(**SMALL, profile="paper")


@pytest.fixture(scope="module", params=SERVERS)
def empty_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of each kind with nothing in it, not even a schema."""
    with new_server(request.param, tmp_path_factory.mktemp("older")) as server:
        yield server


@pytest.fixture(scope="module", params=STORES, ids=lambda path: path.name.partition(".")[0])
def old(request: pytest.FixtureRequest, empty_server: Server) -> Server:
    """A server with the rows of an earlier version, behind the back of this one."""
    load(json.loads(gzip.decompress(request.param.read_bytes())), empty_server)
    return empty_server


def load(rows: dict[str, Any], server: Server) -> None:
    """Write rows as they are into the schema they had; labels and types are those of our own file."""
    with server.open(prepare=False) as store:
        connection = store._connection
        with connection._session(reading=False) as session:
            for name in names("schema"):
                if name.startswith("schema/0001_"):
                    session.run(query(name).text).consume()
            kinds = defaultdict(list)
            for number, (labels, properties) in enumerate(rows["nodes"]):
                kinds[":".join(labels)].append({**properties, "row": number})
            for labels, nodes in kinds.items():
                session.run(f"UNWIND $nodes AS node CREATE (n:{labels}) SET n = node", nodes=nodes).consume()
            places = {
                record["row"]: record["id"]
                for record in session.run("MATCH (n) RETURN n.row AS row, elementId(n) AS id")
            }
            relations = defaultdict(list)
            keys = [properties.get("key") for _, properties in rows["nodes"]]
            for relation, first, last, properties in rows["relationships"]:
                ends = (keys[first], keys[last]) if relation == "FEEDS" else (places[first], places[last])
                relations[relation].append([*ends, properties])
            for relation, pairs in relations.items():
                find = FIND_NEURONS if relation == "FEEDS" else FIND
                session.run(
                    f"UNWIND $pairs AS row {find} CREATE (a)-[r:{relation}]->(b) SET r = row[2]",
                    pairs=pairs,
                ).consume()
            session.run("MATCH (n) REMOVE n.row").consume()


def counts(store: GraphStore) -> tuple[int, int]:
    found = store.counts()
    return found["spectra"], found["samples"]


def test_an_old_store_is_read_as_what_it_is(old: Server) -> None:
    with old.open() as store:
        assert store.versions()["schema_version"] == current_version()
        analyses = store.analyses("org/older")
        assert [(one.profile, one.checkpoints) for one in analyses] == [
            ("exact", 3),
            ("exact", 2),
            ("paper", 2),
        ]
        assert {one.method_version for one in analyses} == {UNVERSIONED}
        points = store.points("org/older", options_hash=analyses[0].options_hash)
        results = store.results("org/older")
        assert [point.read().alpha0 for point in points] == [result.alpha0 for result in results]
        assert [result.step for result in results] == [0, 256, 2000]
        assert {result.method_version for result in results} == {UNVERSIONED}
        assert results[2].emergence is not None and results[2].emergence.value
        assert {one.graph_version for one in store.samples("org/older", 2000)} == {1}
        assert all(one.agrees for one in verify(store, "org/older"))
        assert len(store.scores("org/older")) == 2


def test_what_is_measured_now_is_told_apart_and_takes_its_place_when_it_covers_it(old: Server) -> None:
    with old.open() as store:
        before = store.results("org/older")
        some = IngestRequest(source=SERIES, same_run=True, model_id="org/older", steps="0,256", options=EXACT)
        summary = ingest(some, store)
        assert (summary.spectra_written, summary.graphs_written, summary.replaced) == (2, 2, 2)  # two graphs
        served, *others = store.analyses("org/older")
        assert (served.method_version, served.checkpoints) == (UNVERSIONED, 3)
        newer = next(one for one in others if one.method_version == METHOD_VERSION)
        assert (newer.options, newer.checkpoints) == (EXACT, 2)
        assert [one.method_version for one in store.results("org/older")] == [UNVERSIONED] * 3

        summary = ingest(
            IngestRequest(source=SERIES, same_run=True, model_id="org/older", steps="2000", options=EXACT),
            store,
        )
        assert (summary.spectra_written, summary.replaced) == (1, 3 + 1)
        after = store.results("org/older", options=newer.options_hash)
        assert [one.method_version for one in after] == [METHOD_VERSION] * 3
        # no version moved a number of a model whose heads all have keys of their own
        assert [one.alpha0 for one in after] == [one.alpha0 for one in before]
        assert UNVERSIONED in {
            one.method_version for one in store.analyses("org/older")
        }  # paper is not covered
        assert {one.graph_version for one in store.samples("org/older", 2000)} == {GRAPH_VERSION}
        again = ingest(
            IngestRequest(
                source=SERIES, same_run=True, model_id="org/older", steps="0,256,2000", options=EXACT
            ),
            store,
        )
        assert again.nothing_new


def test_old_results_stay_where_one_says_so(old: Server) -> None:
    with old.open() as store:
        spectra, samples = counts(store)
        request = IngestRequest(
            source=SERIES,
            same_run=True,
            model_id="org/older",
            steps="0,256",
            options=PAPER,
            graph_samples=0,
            keep_old=True,
        )
        summary = ingest(request, store)
        assert (summary.spectra_written, summary.replaced) == (2, 0)
        assert counts(store) == (spectra + 2, samples)
        versions = [one.method_version for one in store.analyses("org/older") if one.profile == "paper"]
        assert sorted(versions) == [UNVERSIONED, METHOD_VERSION]


def test_a_job_an_older_version_queued_is_still_taken(old: Server) -> None:
    from neuromfa.graph.job_queue import JobQueue

    with old.open() as store:
        [job] = JobQueue(store).jobs(status="queued").items
        assert IngestRequest.from_json(job.request).options == EXACT
