"""Costly questions, tables and ingests leave the others alone: signs of life, what is held, other short answers."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from neuromfa.app.api import exports
from neuromfa.app.main import create_app
from neuromfa.app.memory import answering
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import in_route
from neuromfa.options import AnalysisOptions
from neuromfa.questions.strongest_edges import StrongestEdges
from tests.conftest import SERIES
from tests.integration.making import make_graph
from tests.integration.test_held_answers import written

QUESTIONS, TABLES, READERS = 6, 4, 3


class Busy:
    """Work that calculates until it is let go: a thread of it wants the interpreter all the time."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Semaphore(0), threading.Event()

    def work(self, *_: Any, **__: Any) -> None:
        self.begun.release()
        until = time.monotonic() + 60
        while not self.over.is_set() and time.monotonic() < until:
            sum(range(2000))


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Busy]:
    """Make questions answered by numpy, tables and exports costly."""
    busy = Busy()
    for place, name in ((StrongestEdges, "by_numpy"), (exports, "written"), (answering, "tabled")):
        whole = getattr(place, name)

        def costly(*words: Any, _whole: Any = whole, **more: Any) -> Any:
            busy.work()
            return _whole(*words, **more)

        monkeypatch.setattr(place, name, costly)
    yield busy
    busy.over.set()


@pytest.fixture
def client(store: GraphStore) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), store=store), base_url="http://127.0.0.1:8000") as ready:
        yield ready


def asked_much(pool: ThreadPoolExecutor, client: TestClient, series: str) -> list["Future[httpx.Response]"]:
    """Ask for more that is costly than there are seats."""
    graph = f"{series}/checkpoints/0/samples/0"
    paths = [f"{graph}/strongest?engine=numpy&top={k + 1}" for k in range(QUESTIONS)]
    paths += [f"/v1/export/{series.rpartition('/')[2]}.{form}" for form in ("csv", "parquet", "arrow")]
    paths += [f"{series}/spectra.csv?limit={k + 1}" for k in range(TABLES)]
    return [pool.submit(client.get, path) for path in paths]


def test_short_answers_pass_beside_as_many_costly_ones_as_there_may_be(
    client: TestClient, store: GraphStore, model: str, fresh: str, busy: Busy
) -> None:
    written(store, model, 0, 8)
    store.write_sample(model, 0, make_graph(fresh))
    series = f"/v1/models/{in_route(model)}"
    held = client.get(f"{series}/emergence")
    with ThreadPoolExecutor(32) as pool:
        asked = asked_much(pool, client, series)
        for _ in range(4 + 2):
            assert busy.begun.acquire(timeout=60)
        assert not busy.begun.acquire(timeout=0.3), "more calculate at once than there are seats"
        begun = time.monotonic()
        assert client.get("/healthz").json() == {"status": "alive"}
        assert client.get(f"{series}/emergence").content == held.content
        assert (
            client.get(f"{series}/emergence", headers={"If-None-Match": held.headers["etag"]}).status_code
            == 304
        )
        assert client.get(f"{series}/checkpoints/8/spectrum").status_code == 200
        assert client.get("/v1/models").status_code == 200
        assert not any(one.done() for one in asked)
        assert time.monotonic() - begun < 30
        busy.over.set()
        assert {one.result().status_code for one in asked} == {200}


def test_readers_are_answered_while_an_ingest_writes_beside_them(
    client: TestClient, store: GraphStore, model: str
) -> None:
    written(store, model, 0, 8)
    series, neighbour = f"/v1/models/{in_route(model)}", f"{model}-beside"
    few = AnalysisOptions(samples=1, nodes=8, baseline="none", nulls=False)
    request = IngestRequest(
        source=str(SERIES), steps="2000", model_id=neighbour, graph_samples=1, options=few
    )
    with ThreadPoolExecutor(READERS + 1) as pool:
        ingesting = pool.submit(ingest, request, store)
        reading = [pool.submit(read_on, client, series, ingesting, first=k) for k in range(READERS)]
        statuses = [status for one in reading for status in one.result()]
        ingesting.result()
    assert (set(statuses), len(statuses) >= 2 * READERS) == ({200}, True)
    assert store.model(neighbour).checkpoints == 1
    store.delete_model(neighbour)


def read_on(client: TestClient, series: str, until: "Future[Any]", *, first: int) -> list[int]:
    """Read stored spectra, each time by another address, until something is over; return the statuses."""
    statuses = []
    for k in count(first, READERS):
        words = f"limit={k % 1000 + 1}"
        for path in (f"{series}/spectra?{words}", f"{series}/checkpoints/8/spectrum"):
            statuses.append(client.get(path).status_code)
        if until.done():
            break
        time.sleep(0.02)
    return statuses
