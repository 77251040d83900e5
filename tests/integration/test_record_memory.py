"""Records are read some at a time, once, and are those that each reader asked for."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from neuromfa.app.memory import record_memory
from neuromfa.app.memory.record_memory import AT_ONCE, RecordMemory
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore
from neuromfa.identity import content_hash, options_hash
from neuromfa.model_id import in_route
from neuromfa.results import CheckpointResult, from_json
from tests.integration.test_held_answers import OPTIONS, client, transactions, written  # noqa: F401  fixtures

CHOSEN = options_hash(OPTIONS)


def test_steps_beside_each_other_cost_one_message(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
    transactions: list[str],  # noqa: F811
) -> None:
    steps = range(0, 8 * AT_ONCE, 8)
    written(store, model, *steps)
    series = f"/v1/models/{in_route(model)}"
    assert client.get(f"{series}/checkpoints").status_code == 200
    whole = client.get(f"{series}/spectra", params={"limit": 100}).json()["items"]
    transactions.clear()
    asked = [client.get(f"{series}/checkpoints/{step}/spectrum").json() for step in steps]
    assert asked == whole
    # a look at the state for each, and the records together
    assert transactions == ["look", "look", *["look"] * (AT_ONCE - 1)]
    assert all(client.get(f"{series}/checkpoints/{step}/metrics").status_code == 200 for step in steps)
    assert len(transactions) == 2 * AT_ONCE + 1


def test_who_comes_while_records_are_read_waits_for_them(
    store: GraphStore, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(store, model, 0, 8, 16)
    index, memory, reads = store.series_index(model), RecordMemory(), []
    whole, begun = GraphStore.documents_there, threading.Event()

    def slowly(self: GraphStore, names: list[str]) -> dict[str, str]:
        reads.append(len(names))
        begun.wait(5)
        return whole(self, names)

    monkeypatch.setattr(GraphStore, "documents_there", slowly)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(memory.text, store, index, step) for step in index.newest(CHOSEN)]
        begun.set()
        texts = [one.result(10) for one in asked]
    assert [from_json(CheckpointResult, text).analysis_hash for text in texts] == [
        content_hash([model, step]) for step in (0, 8, 16)
    ]
    assert sum(reads) == 3


def test_a_neighbour_that_is_gone_takes_nobody_with_it(store: GraphStore, model: str) -> None:
    written(store, model, 0, 8)
    index, memory = store.series_index(model), RecordMemory()
    first, second = index.newest(CHOSEN)
    store.delete_checkpoint(model, 8)
    assert memory.text(store, index, first)
    with pytest.raises(NotStored, match=second.analysis_hash):
        memory.text(store, index, second)


def test_memory_is_bounded(store: GraphStore, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written(store, model, 0, 8)
    index = store.series_index(model)
    first, second = index.newest(CHOSEN)
    size = len(RecordMemory().text(store, index, first))
    monkeypatch.setattr(record_memory, "RECORDS_BYTES", int(1.5 * size))
    memory: Any = RecordMemory()
    assert memory.text(store, index, first) and memory.text(store, index, second)
    assert memory._held.n_bytes <= 1.5 * size
