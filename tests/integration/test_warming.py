"""What is done beside the first requests: a series is read once, and nothing is asked of a store that is let go."""

import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from neuromfa.app import warming
from neuromfa.app.middleware.metrics import Metrics
from neuromfa.app.pages import answering, templating
from neuromfa.errors import NobodyWaits
from neuromfa.graph import GraphStore
from neuromfa.graph.given_up import asking
from neuromfa.model_id import in_route
from tests.integration.test_held_answers import client, transactions, written  # noqa: F401  fixtures


def test_one_curve_and_one_spectrum_are_read(store: GraphStore, model: str, transactions: list[str]) -> None:  # noqa: F811
    written(store, model, 0, 8)
    transactions.clear()
    warming.read_one_series(store)
    assert transactions == ["look", "read", "look", "look"]


def test_a_page_is_drawn_as_its_reader_gets_it(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written(store, model, 0, 8)
    made = []
    whole = templating.rendered
    monkeypatch.setattr(answering, "rendered", lambda *words: made.append(whole(*words)) or made[-1])
    warming.draw_pages(client.app, store, model)
    assert len(made) == 2
    assert client.get(f"/models/{in_route(model)}").text == made[1] == made[2]


def test_a_page_reads_its_whole_results_at_once(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
    transactions: list[str],  # noqa: F811
) -> None:
    counts = []
    for steps in ((0,), range(8, 80, 8)):
        written(store, model, *steps)
        transactions.clear()
        assert client.get(f"/models/{in_route(model)}").status_code == 200
        counts.append(len(transactions))
    assert counts[0] == counts[1]


def test_requests_under_way_go_before(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written(store, model, 0)
    passed: list[str] = []
    monkeypatch.setattr(type(client.app.routes[0]), "matches", lambda *_: passed.append("route"))
    monkeypatch.setattr(warming, "read_one_series", lambda _: passed.append("series"))
    monkeypatch.setattr(warming, "draw_pages", lambda *_: passed.append("pages"))
    begin = threading.Event()
    client.app.state.metrics.n_under_way += 1
    with warming.warming(client.app, store, begin=begin):
        begin.set()
        time.sleep(0.2)
        assert passed == []
        client.app.state.metrics.n_under_way -= 1
        ended = time.monotonic() + 20
        while passed[-1:] != ["pages"] and time.monotonic() < ended:
            time.sleep(0.01)
    assert passed[-2:] == ["series", "pages"] and len(passed) > 2


def test_it_ends_with_the_service_and_asks_nothing_after(
    store: GraphStore, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(store, model, 0)
    ended = []

    def read_on(store: GraphStore) -> None:
        try:
            while True:
                store.models(limit=1, cursor=None)
                time.sleep(0.01)
        except NobodyWaits as error:
            ended.append(threading.current_thread().name)
            raise error

    monkeypatch.setattr(warming, "read_one_series", read_on)
    begin, idle = threading.Event(), Starlette()
    idle.state.metrics = Metrics()
    with warming.warming(idle, store, begin=begin):
        begin.set()
        time.sleep(0.1)
        asking.get().check()
        assert ended == []
    assert ended == ["warming"]
    assert store.models(limit=1, cursor=None).items
