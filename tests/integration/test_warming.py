"""What is done beside the first requests: a series is read once, and nothing is asked of a store that is let go."""

import threading
import time

import pytest
from starlette.applications import Starlette

from neuromfa.app import warming
from neuromfa.errors import NobodyWaits
from neuromfa.graph import GraphStore
from neuromfa.graph.given_up import asking
from tests.integration.test_held_answers import transactions, written  # noqa: F401  a fixture


def test_one_curve_and_one_spectrum_are_read(store: GraphStore, model: str, transactions: list[str]) -> None:  # noqa: F811
    written(store, model, 0, 8)
    transactions.clear()
    warming.read_one_series(store)
    assert transactions == ["read"] * 4


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
    begin = threading.Event()
    with warming.warming(Starlette(), store, begin=begin):
        begin.set()
        time.sleep(0.1)
        asking.get().check()
        assert ended == []
    assert ended == ["warming"]
    assert store.models(limit=1, cursor=None).items
