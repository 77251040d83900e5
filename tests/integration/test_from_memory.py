"""What memory answers before any route: as the routes would, to those they would, never older than the store."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.app.memory.answering import Answering
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore
from neuromfa.identity import content_hash
from neuromfa.model_id import in_route
from tests.integration.test_held_answers import (  # noqa: F401  fixtures
    client,
    transactions,
    written,
)

LOOPBACK = "http://127.0.0.1:8000"
OWN = ("x-request-id", "date")


@pytest.fixture
def routed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths that came as far as a route."""
    came: list[str] = []
    whole = Answering.__init__

    def noting(self: Answering, request: Any, *words: Any) -> None:
        came.append(request.scope["path"])
        whole(self, request, *words)

    monkeypatch.setattr(Answering, "__init__", noting)
    return came


def paths_of(model: str) -> list[str]:
    """Return addresses of every kind that memory answers."""
    series = f"/v1/models/{in_route(model)}"
    return [
        f"{series}/emergence?limit=1",
        f"{series}/spectra",
        f"{series}/checkpoints/8/metrics",
        f"/v1/export/{in_route(model)}.csv",
        f"/v1/results/{content_hash([model, 8])}",
    ]


def told(answer: httpx.Response) -> tuple[Any, ...]:
    headers: dict[str, Any] = {name: value for name, value in answer.headers.items() if name not in OWN}
    headers["vary"] = set(headers["vary"].split(", "))
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize("headers", [{"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}])
def test_memory_answers_as_the_routes_do(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
    routed: list[str],
    headers: dict[str, str],
) -> None:
    written(store, model, 0, 8)
    for path in paths_of(model):
        for more in ({}, {"If-None-Match": "*"}, {"If-None-Match": '"other"'}):
            asked = {**headers, **more}
            client.app.state.memory.known.clear()  # type: ignore[attr-defined]
            first = told(client.get(path, headers=asked))
            came = len(routed)
            assert told(client.get(path, headers=asked)) == first
            head = client.head(path, headers=asked)
            assert (head.status_code, dict(head.headers)["etag"], head.content) == (
                first[0],
                first[1]["etag"],
                b"",
            )
            assert len(routed) == came, path


def test_a_change_is_seen_and_looked_at_once(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
    transactions: list[str],  # noqa: F811
    routed: list[str],
) -> None:
    written(store, model, 0)
    path = f"/v1/models/{in_route(model)}/emergence"
    known = {"If-None-Match": client.get(path).headers["etag"]}
    assert client.get(path, headers=known).status_code == 304
    written(store, model, 8)
    transactions.clear()
    routed.clear()
    answer = client.get(path, headers=known)
    assert (answer.status_code, [item["step"] for item in answer.json()["items"]]) == (200, [0, 8])
    assert routed == [f"/v1/models/{in_route(model)}/emergence"]
    assert transactions == ["look", "read", "look"]
    store.delete_model(model)
    assert client.get(path).status_code == 404


def test_keys_are_asked_for_what_is_held_too(
    store: GraphStore, model: str, tmp_path: Path, routed: list[str]
) -> None:
    written(store, model, 0, 8)
    file = tmp_path / "keys"
    line = f"lab:read:{hashlib.sha256(b'a key of the lab').hexdigest()}\n"
    file.write_text(line)
    key = {"Authorization": "Bearer a key of the lab"}
    public = Settings(host="0.0.0.0", keys_file=file)  # type: ignore[arg-type]
    with TestClient(create_app(public, store=store), base_url=LOOPBACK) as ready:
        for path in paths_of(model):
            first = ready.get(path, headers=key)
            came = len(routed)
            assert ready.get(path, headers=key).content == first.content
            assert len(routed) == came
            known = {"If-None-Match": first.headers["etag"]}
            for wrong in ({}, {"Authorization": "Bearer another"}, {"Authorization": "Basic YTpi"}):
                refused = ready.get(path, headers={**wrong, **known})
                assert (refused.status_code, refused.json()["type"]) == (401, "/problems/key-needed")
            file.write_text("")
            assert ready.get(path, headers={**key, **known}).status_code == 401
            file.write_text(line)


def test_no_look_at_the_store_for_who_may_not_read(
    store: GraphStore,
    model: str,
    transactions: list[str],  # noqa: F811
) -> None:
    written(store, model, 0, 8)
    public = Settings(host="0.0.0.0", api_key="a key of the settings")  # type: ignore[arg-type]
    with TestClient(create_app(public, store=store), base_url=LOOPBACK) as ready:
        for path in paths_of(model):
            assert ready.get(path, headers={"Authorization": "Bearer a key of the settings"}).is_success
            transactions.clear()
            assert ready.get(path).status_code == 401
            assert transactions == []


def test_hosts_pages_and_bodies_are_judged_as_without_memory(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
    routed: list[str],
) -> None:
    written(store, model, 0, 8)
    for path in paths_of(model):
        assert client.get(path).is_success
        assert client.get(path, headers={"Host": "rebound.example"}).status_code == 421
        foreign = client.get(path, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == (403 if path.startswith("/v1/export/") else 200)
        assert client.request("GET", path, headers={"Content-Length": "2000000"}).status_code == 413
        assert client.post(path).status_code == 405
        came = len(routed)
        assert client.request("GET", path, content=b"some").is_success
        assert len(routed) == came + 1
        strict = client.get(f"{path}{'&' if '?' in path else '?'}limt=1")
        assert strict.status_code == 422


def test_what_memory_answers_is_counted_under_its_route(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    model: str,
) -> None:
    written(store, model, 0, 8)
    for _ in range(3):
        answer = client.get(f"/v1/results/{content_hash([model, 8])}", headers={"X-Request-ID": "mine-mine"})
        assert answer.headers["x-request-id"] == "mine-mine"
        assert answer.headers["x-content-type-options"] == "nosniff"
    counted = client.get("/metrics").text
    assert (
        'neuromfa_requests_total{method="GET",route="/v1/results/{analysis_hash}",status="200"} 3.0'
        in counted
    )


def test_a_prefix_is_part_of_the_address(store: GraphStore, model: str, routed: list[str]) -> None:
    written(store, model, 0, 8)
    settings = Settings(root_path="/below")
    with TestClient(create_app(settings, store=store), base_url=LOOPBACK) as ready:
        for path in paths_of(model):
            first = told(ready.get(f"/below{path}"))
            came = len(routed)
            assert told(ready.get(path)) == first
            assert (first[0], len(routed)) == (200, came)


def test_a_full_room_says_so(client: TestClient, store: GraphStore, model: str) -> None:  # noqa: F811
    written(store, model, 0, 8)
    path = f"/v1/models/{in_route(model)}/spectra"
    assert client.get(path).status_code == 200
    room = client.app.state.rooms["held"]  # type: ignore[attr-defined]
    room._present["testclient"] = room._a_client
    assert client.get(path).json()["type"] == "/problems/too-many"


@pytest.fixture(autouse=True)
def _somewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No `.env` of the folder the tests run in."""
    monkeypatch.chdir(tmp_path)
    yield
