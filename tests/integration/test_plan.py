"""`ingest --dry-run`: what it says is what the ingest then does, and it reads no weights."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.app.cli.main import main
from neuromfa.checkpoints import open_series
from neuromfa.graph import GraphStore
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.plan import BYTES_A_RELATIONSHIP, planned
from neuromfa.ingest.request import IngestRequest
from tests.integration.test_recognise import SERIES, read, run, weights_of

__all__ = ["read", "run"]  # fixtures of the other file
ONE_STORE = pytest.mark.parametrize("store", ["embedded"], indirect=True)


@ONE_STORE
@pytest.mark.parametrize("options", [{}, {"baseline": "none", "samples": 5}, {"matrices": True}])
def test_a_plan_says_what_the_ingest_does(
    store: GraphStore, run: IngestRequest, read: list[int], options: dict[str, object]
) -> None:
    request = replace(run, options=replace(run.options, **options), graph_samples=2)  # type: ignore[arg-type]
    before = store.counts()
    plan = planned(request, store)
    headers = sum(read)
    assert store.counts() == before
    assert (plan.checkpoints, plan.recognised, plan.to_read, plan.graphs) == (2, 0, 2, 4)
    assert headers < weights_of(run, 0).stat().st_size / 10, "no weights are read"
    read.clear()
    done = ingest(request, store)
    # the first step stands for both; headers differ by what they say of themselves
    assert plan.bytes_to_read == pytest.approx(sum(read), rel=0.001)
    assert done.edges_written <= plan.relationships <= 1.2 * done.edges_written
    assert plan.bytes_to_store == plan.relationships * BYTES_A_RELATIONSHIP
    assert plan.seconds > 0


@ONE_STORE
def test_a_whole_network_is_planned_without_reading_it(
    store: GraphStore, run: IngestRequest, read: list[int]
) -> None:
    plan = planned(replace(run, options=replace(run.options, nodes=None)), store)
    assert (plan.graphs, plan.relationships > 1_000_000) == (2, True), "all draws are one"
    assert sum(read) < weights_of(run, 0).stat().st_size / 10 < plan.bytes_to_read


@ONE_STORE
def test_what_is_stored_is_not_planned_again(store: GraphStore, run: IngestRequest) -> None:
    ingest(run, store)
    plan = planned(run, store)
    assert (plan.recognised, plan.to_read, plan.bytes_to_read, plan.relationships) == (2, 0, 0, 0)
    assert plan.seconds == 0
    assert planned(replace(run, rehash=True), store).to_read == 2
    weights_of(run, 2000).touch()
    assert (planned(run, store).recognised, planned(run, store).to_read) == (1, 1)
    assert planned(replace(run, retry_failed=True), store).to_read == 0


@pytest.mark.slow
def test_the_command_line_says_it_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    words = (
        "neuromfa",
        "ingest",
        SERIES,
        "--steps",
        "0,32",
        "--samples",
        2,
        "--dry-run",
        "--data-dir",
        tmp_path,
    )
    for more in ((), ("--json",)):
        monkeypatch.setattr(sys, "argv", [*map(str, words), *more])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code
    told = capsys.readouterr().out
    assert told.startswith(f"{SERIES.name}: 2 checkpoints, 0 stored already, 2 to read\nread: ")
    assert "an estimate" in told
    plan = json.loads(told[told.index("\n{") :])
    assert (plan["to_read"], plan["graphs"]) == (2, 2) and plan["bytes_to_read"] > 1_000_000


def test_tensors_as_zeros_take_what_reading_takes() -> None:
    checkpoint = open_series(str(SERIES)).checkpoints[0]
    store = checkpoint.open()
    unread = store.unread()  # type: ignore[attr-defined]
    assert unread.names() == store.names()
    name = max(unread.names(), key=lambda each: len(unread.info(each).shape))
    headers = store.bytes_read
    assert unread.read(name).shape == store.read(name).shape and not unread.read(name).any()
    assert unread.bytes_read == 2 * (store.bytes_read - headers)
