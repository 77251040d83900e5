"""A sweep measured into a store by the command line, and what the service answers of it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from neuromfa.analysis import analyze
from neuromfa.app.cli.main import main
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.checkpoints import open_series
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore, open_store
from neuromfa.graph.job_queue import JobQueue
from neuromfa.options import AnalysisOptions
from neuromfa.results import CurvePoint, to_json
from neuromfa.stored import Analysis
from neuromfa.stored_sweep import stored_sweep, stored_values
from neuromfa.sweep import sweep, sweeping_from
from tests.api.conftest import LOOPBACK, strict_json
from tests.api.test_contracts import check, contract
from tests.made_series import write_series

FEW = ("--samples", "3", "--draws", "2", "--min-edges", "3")
OPTIONS = AnalysisOptions(samples=3, draws=2, min_edges=3)
ROUTE = "/v1/models/made/sweep"


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_series(tmp_path_factory.mktemp("series") / "made", (0, 100))


@pytest.fixture(scope="module")
def swept_dir(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("swept")
    with pytest.MonkeyPatch.context() as patch:
        ingest = ("ingest", source, *FEW, "--data-dir", data)
        assert run(patch, *ingest, "--nodes", 16, "--steps", 100) == 0
        assert run(patch, *ingest, "--sweep", "nodes=16,8") == 0
        assert run(patch, *ingest, "--nodes", 8, "--sweep", "min_edges=4,1000") == 3
    yield data


@pytest.fixture(scope="module")
def swept_store(swept_dir: Path) -> Iterator[GraphStore]:
    with open_store(data_dir=swept_dir) as opened:
        yield opened


@pytest.fixture
def swept_client(swept_store: GraphStore, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, store=swept_store), base_url=LOOPBACK) as ready:
        yield ready


def got(client: TestClient, query: str) -> dict[str, Any]:
    answer = client.get(f"{ROUTE}?{query}")
    assert answer.status_code == 200, answer.text
    schema = contract()["paths"]["/v1/models/{model}/sweep"]["get"]["responses"]["200"]
    body: dict[str, Any] = strict_json(answer.text)
    check(body, schema["content"]["application/json"]["schema"])
    return body


def test_a_stored_sweep_is_the_one_that_analyze_measures(swept_client: TestClient, source: Path) -> None:
    found = got(swept_client, "option=nodes")
    measured = json.loads(to_json(sweep(open_series(str(source)), OPTIONS, sweeping_from("nodes=8,16"))))
    for name in ("series", "option", "values", "failed"):
        assert found[name] == measured[name]
    assert len(found["points"]) == 4
    for stored, fresh in zip(found["points"], measured["points"], strict=True):
        assert set(stored) == set(fresh)
        for name in ("value", "step", "options_hash", "alpha0", "width", "emergence", "excess", "structure"):
            assert stored[name] == fresh[name], name


def test_a_sweep_is_of_what_is_chosen_and_says_what_is_missing(swept_client: TestClient) -> None:
    found = got(swept_client, "option=min_edges&profile=exact")
    assert (found["values"], found["options"]["nodes"]) == (["3", "4"], 8)
    few = swept_client.get(f"{ROUTE}?option=samples")
    assert few.status_code == 404
    assert "`neuromfa ingest SOURCE --sweep samples=value,value`" in few.json()["detail"]
    assert swept_client.get(f"{ROUTE}?option=nodes&profile=paper").status_code == 404
    assert swept_client.get(f"{ROUTE}?option=q").status_code == 422
    first = swept_client.get(f"{ROUTE}?option=nodes")
    again = swept_client.get(f"{ROUTE}?option=nodes", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    table = swept_client.get(f"{ROUTE}.csv?option=nodes").text.splitlines()
    assert table[0].startswith("value,options_hash,step,alpha0,alpha0_low,")
    assert len(table) == 1 + len(first.json()["points"])


def test_a_sweep_keeps_graphs_only_where_they_are_asked_for(swept_store: GraphStore) -> None:
    # the one ingest of a single step kept its graph; those of the sweeps kept none
    assert [one.samples for one in swept_store.checkpoints("made").items] == [0, 1]


def test_a_detached_sweep_is_a_job_a_value(
    swept_store: GraphStore, source: Path, swept_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("ingest", source, *FEW, "--data-dir", swept_dir, "--sweep", "seed=5,6", "--detach")
    assert run(monkeypatch, *words) == 0
    waiting = [job for job in JobQueue(swept_store).jobs().items if job.status == "queued"]
    asked = {(job.request["options"]["seed"], job.request["graph_samples"]) for job in waiting}
    assert asked == {(5, 0), (6, 0)}


def analysis(name: str, **options: Any) -> Analysis:
    own = AnalysisOptions(**options)
    return Analysis(name, 1, own.profile, own.hops, own.baseline, 1, own)


def test_values_are_those_of_analyses_alike_otherwise() -> None:
    known = [
        analysis("a" * 8, nodes=None),
        analysis("b" * 8, nodes=128),
        analysis("c" * 8, nodes=16),
        analysis("d" * 8, nodes=16, samples=3),
        analysis("e" * 8, nodes=32, samples=3, profile="shape"),
    ]
    base, values = stored_values("m", known, "nodes")
    assert base == known[0] and list(values) == ["16", "128", "all"]
    assert values["16"] is known[2]
    assert list(stored_values("m", known, "samples", options="c")[1]) == ["3", "10"]
    with pytest.raises(NotStored, match=r"nodes there: 32\)"):
        stored_values("m", known, "nodes", profile="shape")
    with pytest.raises(NotStored, match="gamma there: none"):
        stored_values("m", known, "gamma", profile="paper")


def test_a_step_that_a_value_lacks_is_told(source: Path) -> None:
    result = analyze(open_series(str(source)), AnalysisOptions(nodes=8, samples=2, min_edges=3, nulls=False))
    curve = [CurvePoint.of(one) for one in result.checkpoints]
    values = {"8": analysis("a", nodes=8), "16": analysis("b", nodes=16)}
    found = stored_sweep("m", "nodes", result.options, values, {"8": curve, "16": curve[:1]})
    assert [(point.value, point.step) for point in found.points] == [("8", 0), ("8", 100), ("16", 0)]
    [missing] = found.failed
    assert (missing.value, missing.step) == ("16", 100) and "nodes 16" in missing.sentence
