"""What the service keeps in memory costs the store one short query at most, and is never older than the store."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.errors import NobodyWaits
from neuromfa.graph import GraphStore
from neuromfa.graph.connection import Connection
from neuromfa.graph.given_up import Asker, asking
from neuromfa.identity import content_hash
from neuromfa.model_id import in_route
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, FailedCheckpoint, Reading
from neuromfa.scores import Score
from tests.integration.making import make_result

OPTIONS = AnalysisOptions(samples=3, nodes=16)
OTHER = AnalysisOptions(samples=3, nodes=16, profile="paper")


@pytest.fixture
def client(store: GraphStore) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), store=store), base_url="http://127.0.0.1:8000") as ready:
        yield ready


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the store, as it is asked."""
    asked: list[str] = []
    for name in ("look", "read", "write"):
        whole = getattr(Connection, name)

        def noting(self: Connection, *words: Any, _whole: Any = whole, _name: str = name, **more: Any) -> Any:
            asked.append(_name)
            return _whole(self, *words, **more)

        monkeypatch.setattr(Connection, name, noting)
    return asked


def result(name: str, step: int) -> CheckpointResult:
    return replace(make_result(content_hash([name, step]), step=step), revision=f"step{step}")


def written(store: GraphStore, model: str, *steps: int, name: str = "") -> None:
    """Write results of some steps."""
    for step in steps:
        store.write_checkpoint(model, step, revision=f"step{step}")
        store.write_result(model, result(name or model, step), OPTIONS)


def steps_of(client: TestClient, model: str, **words: Any) -> list[int]:
    answer = client.get(f"/v1/models/{in_route(model)}/emergence", params=words)
    assert answer.status_code == 200, answer.text
    return [item["step"] for item in answer.json()["items"]]


def test_what_is_held_costs_one_short_query_and_what_is_immutable_none(
    client: TestClient, store: GraphStore, model: str, transactions: list[str]
) -> None:
    written(store, model, 0, 8)
    series, name = f"/v1/models/{in_route(model)}", content_hash([model, 8])
    paths = [
        *(f"{series}/{what}" for what in ("emergence", "spectra", "scores", "correlations")),
        *(f"{series}/checkpoints/8/{what}" for what in ("spectrum", "metrics")),
        f"/v1/export/{in_route(model)}.csv",
    ]
    first = {path: client.get(path) for path in [*paths, f"/v1/results/{name}"]}
    assert {answer.status_code for answer in first.values()} == {200}
    for path in paths:
        transactions.clear()
        again = client.get(path)
        known = client.get(path, headers={"If-None-Match": again.headers["etag"]})
        assert (again.content, known.status_code) == (first[path].content, 304)
        assert transactions == ["look", "look"], path
    transactions.clear()
    assert client.get(f"/v1/results/{name}").content == first[f"/v1/results/{name}"].content
    assert transactions == []


def test_an_answer_that_is_not_held_takes_two_messages(
    client: TestClient, store: GraphStore, model: str, transactions: list[str]
) -> None:
    written(store, model, 0, 8)
    steps_of(client, model)
    transactions.clear()
    assert client.get(f"/v1/models/{in_route(model)}/checkpoints/0/spectrum").status_code == 200
    assert transactions == ["look", "look"]


def test_a_record_is_not_read_for_who_has_left(store: GraphStore, model: str) -> None:
    written(store, model, 0)
    asker, context = Asker(), Context()
    context.run(asking.set, asker)
    name = content_hash([model, 0])
    assert len(context.run(store.documents, [name])) == 1
    asker.give_up()
    with pytest.raises(NobodyWaits):
        context.run(store.documents, [name])


def test_every_write_shows_at_the_next_request(client: TestClient, store: GraphStore, model: str) -> None:
    series = f"/v1/models/{in_route(model)}"
    assert client.get(f"{series}/emergence").status_code == 404
    written(store, model, 0)
    assert steps_of(client, model) == [0]
    written(store, model, 8)
    assert steps_of(client, model) == [0, 8]

    store.write_result(model, result(f"{model}, again", 8), OPTIONS)
    newer = client.get(f"{series}/checkpoints/8/spectrum").json()["analysis_hash"]
    assert newer == content_hash([f"{model}, again", 8])
    store.make_newest(model, 8, content_hash([model, 8]))
    assert client.get(f"{series}/checkpoints/8/spectrum").json()["analysis_hash"] == content_hash([model, 8])

    store.write_failure(model, FailedCheckpoint(16, "step16", "CorruptFile", "the file ends early"))
    assert client.get(f"{series}/emergence").json()["failed"][0]["step"] == 16
    store.write_scores(model, [Score(8, "made", "acc", 0.5, None)])
    assert client.get(f"{series}/checkpoints/8/metrics").json()["scores"][0]["task"] == "made"
    assert len(client.get(f"{series}/scores").json()["items"]) == 1

    for step in (0, 8, 16):
        store.write_checkpoint(model, step, revision=f"step{step}")
        store.write_result(model, result(f"{model}, other", step), OTHER)
    assert steps_of(client, model) == [0, 8, 16]
    assert client.get(f"{series}/emergence").json()["failed"] == []

    store.delete_checkpoint(model, 16)
    assert steps_of(client, model) == [0, 8]
    store.delete_model(model)
    assert client.get(f"{series}/emergence").status_code == 404
    store.write_model(model, source="made again")
    written(store, model, 24)
    assert steps_of(client, model) == [24]


def test_what_is_measured_again_shows_at_the_next_request(
    client: TestClient, store: GraphStore, model: str
) -> None:
    written(store, model, 0, 8)
    series = f"/v1/models/{in_route(model)}"
    paths = [f"{series}/checkpoints/8/spectrum", f"{series}/checkpoints/8/metrics", f"{series}/emergence"]
    before = [client.get(path) for path in paths]
    first = result(model, 8)
    other = replace(first, alpha0=replace(first.alpha0, value=first.alpha0.value + 0.25))
    store.write_result(model, other, OPTIONS, again=True)
    for path, old in zip(paths, before, strict=True):
        new = client.get(path)
        assert new.headers["etag"] != old.headers["etag"]
        found = new.json()["items"][-1] if path.endswith("emergence") else new.json()
        if "alpha0" in found:
            assert found["alpha0"]["value"] == other.alpha0.value
    assert (
        client.get("/v1/emergence", params={"models": model}).json()["items"][0]["points"][-1]["alpha0"][
            "value"
        ]
        == other.alpha0.value
    )


def test_notes_from_other_steps_show_at_the_next_request(
    client: TestClient, store: GraphStore, model: str
) -> None:
    reading = Reading("gpt-neox", "0" * 64, "float32", {"a.weight": "0123456789abcdef"})
    for step in (0, 8):
        store.write_result(model, replace(result(model, step), reading=reading), OPTIONS)
    path = f"/v1/models/{in_route(model)}/emergence"
    before = client.get(path)
    assert store.compare_steps(model, OPTIONS) > 0
    after = client.get(path)
    assert after.headers["etag"] != before.headers["etag"]
    assert after.json()["items"] != before.json()["items"]


def test_whoever_reads_after_a_write_sees_it_however_many_read(
    client: TestClient, store: GraphStore, model: str
) -> None:
    """Readers share queries and what is made of them, but only with those who came before the query was sent."""
    over, seen = threading.Event(), 0

    def read_on() -> None:
        while not over.is_set():
            client.get(f"/v1/models/{in_route(model)}/emergence")

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(read_on)
        try:
            for k in range(10):
                written(store, model, k)
                assert steps_of(client, model) == list(range(k + 1))
                seen += 1
        finally:
            over.set()
    assert seen == 10


def test_a_result_that_nobody_has_is_not_found(client: TestClient) -> None:
    answer = client.get(f"/v1/results/{'0' * 64}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-stored")
    assert client.get("/v1/results/abc").status_code == 422


def test_an_immutable_result_may_be_kept_and_comes_packed(
    client: TestClient, store: GraphStore, model: str
) -> None:
    written(store, model, 8)
    name = content_hash([model, 8])
    plain = client.get(f"/v1/results/{name}", headers={"Accept-Encoding": "identity"})
    packed = client.get(f"/v1/results/{name}", headers={"Accept-Encoding": "gzip;q=0.5, br"})
    assert plain.json() == packed.json()
    assert plain.json()["analysis_hash"] == name
    assert plain.headers["cache-control"] == "max-age=31536000, immutable"
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == (
        "gzip",
        "Authorization, Accept-Encoding",
    )
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert plain.headers["etag"] != packed.headers["etag"]
    for answer in (plain, packed):
        known = client.get(f"/v1/results/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert known.status_code == 304


def test_answers_are_kept_within_their_bound_and_made_again_beyond_it(
    store: GraphStore, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(store, model, *range(8))
    app = create_app(Settings(answers_mb=1), store=store)
    memory = app.state.memory
    memory.bodies.max_bytes = 20_000
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        paths = [f"/v1/models/{in_route(model)}/checkpoints/{step}/metrics" for step in range(8)]
        first = [client.get(path).json() for path in paths]
        for _ in range(3):
            assert [client.get(path).json() for path in paths] == first
            assert 0 < memory.bodies.n_bytes <= 20_000
    assert create_app(Settings(answers_mb=3), store=store).state.memory.bodies.max_bytes == 3 * 2**20
