"""Nobody starves anybody: rooms, turns, signs of life beside whatever runs, and what ends when a client leaves."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from starlette.testclient import TestClient

from neuromfa.app.concurrency_limit import Room
from neuromfa.app.errors import Refused
from neuromfa.app.main import Service, create_app
from neuromfa.app.memory.held_answers import NAME_BYTES, Body, Held, Makers
from neuromfa.app.settings import Settings
from neuromfa.errors import NobodyWaits
from neuromfa.graph import GraphStore
from neuromfa.graph.given_up import asking
from tests.api.conftest import LOOPBACK

SAMPLE = "/v1/models/stdlib-14m/checkpoints/0/samples/0"


def ran(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run something in a loop of its own: browser tests in the same process keep one running in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(asyncio.wait_for(work(), 100))).result(120)  # type: ignore[arg-type]


# rooms


@dataclass
class Visit:
    """Requests that come into a room, and in which order they got in."""

    room: Room
    inside: list[str] = field(default_factory=list)

    def come(self, client: str) -> "asyncio.Task[None]":
        async def enter() -> None:
            await self.room.enter(client)
            self.inside.append(client)

        return asyncio.get_running_loop().create_task(enter())


def test_clients_take_turns_however_many_one_sends() -> None:
    async def visit() -> list[str]:
        visit = Visit(Room("reads", inside=1, waiting=9, a_client=8))
        tasks = [visit.come(client) for client in ("a", "a", "a", "a", "b", "c", "b")]
        await asyncio.sleep(0)
        for k in range(7):
            await asyncio.sleep(0)
            visit.room.leave(visit.inside[k])
        await asyncio.gather(*tasks)
        assert len(visit.room) == 0
        return visit.inside

    assert ran(visit) == ["a", "a", "b", "c", "a", "b", "a"]


def test_one_client_never_takes_all_seats_and_a_full_room_says_so() -> None:
    async def visit() -> None:
        visit = Visit(Room("reads", inside=2, waiting=3, a_client=3))
        tasks = [visit.come("a") for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="of yours are under way or wait"):
            await visit.room.enter("a")
        tasks += [visit.come("b") for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="5 reads are under way or wait"):
            await visit.room.enter("c")
        for task in tasks:
            task.cancel()

    ran(visit)


def test_who_stops_waiting_leaves_no_gap() -> None:
    async def visit() -> None:
        visit = Visit(Room("reads", inside=1, waiting=9, a_client=9))
        tasks = [visit.come(client) for client in ("a", "b", "c", "d")]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        visit.room.leave("a")  # the turn comes to c, which leaves at that moment
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
        assert visit.inside[-1] == "d"
        visit.room.leave("d")
        for client in visit.inside[1:-1]:
            visit.room.leave(client)
        assert len(visit.room) == 0
        await visit.room.enter("e")

    ran(visit)


# what is made for many


def test_what_many_want_is_made_once_and_until_the_last_has_left() -> None:
    made, ended = [], threading.Event()

    def make() -> str:
        made.append(1)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                asking.get().check()
            except NobodyWaits:
                ended.set()
                raise
            time.sleep(0.01)
        return "never"

    async def want() -> None:
        makers = Makers()
        wanting = [asyncio.get_running_loop().create_task(makers.made("x", make)) for _ in range(5)]
        await asyncio.sleep(0.1)
        for task in wanting[:4]:
            task.cancel()
        await asyncio.sleep(0.1)
        assert not ended.is_set()
        wanting[4].cancel()
        await asyncio.gather(*wanting, return_exceptions=True)
        assert await asyncio.to_thread(ended.wait, 20)
        assert await makers.made("x", lambda: "another") == "another"

    ran(want)
    assert len(made) == 1


def test_what_is_held_is_bounded_and_the_longest_unused_goes() -> None:
    held: Held[Body] = Held(max_bytes=2 * NAME_BYTES + 250)
    for name in "abc":
        held.keep(name, Body(name.encode() * 100, None))
        held.get("a")
    assert (held.get("b"), held.n_bytes, len(held)) == (None, 2 * NAME_BYTES + 200, 2)
    held.keep("a", Body(b"x" * 10, None))
    held.keep("huge", Body(b"x" * 2000, None))
    assert (held.n_bytes, held.get("huge")) == (2 * NAME_BYTES + 110, None)
    held.drop("a")
    held.drop("a")
    assert held.n_bytes == NAME_BYTES + 100


# the service


class Gate:
    """A store whose queries wait until they are let go, or until their asker leaves."""

    def __init__(self, store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.waiting, self.left = threading.Event(), threading.Semaphore(0), threading.Semaphore(0)
        whole = type(store).query

        def query(store: GraphStore, *words: Any, **more: Any) -> Any:
            self.waiting.release()
            asker = asking.get()
            while not self.open.wait(0.02):
                try:
                    asker.check()
                except NobodyWaits:
                    self.left.release()
                    raise
            return whole(store, *words, **more)

        monkeypatch.setattr(type(store), "query", query)


@pytest.fixture
def client(store: GraphStore, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, store=store), base_url=LOOPBACK) as ready:
        yield ready


@pytest.fixture
def gate(store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(store, monkeypatch)
    yield gate
    gate.open.set()


def test_signs_of_life_and_short_reads_pass_beside_as_many_questions_as_there_may_be(
    client: TestClient, gate: Gate
) -> None:
    path = f"{SAMPLE}/neurons?engine=cypher"
    with ThreadPoolExecutor(80) as pool:
        asked = [pool.submit(client.get, path) for _ in range(80)]
        for _ in range(4):
            assert gate.waiting.acquire(timeout=20)
        until = time.monotonic() + 20
        while sum(one.done() for one in asked) < 56 and time.monotonic() < until:
            time.sleep(0.05)
        assert client.get("/healthz").json() == {"status": "alive"}
        assert client.get("/v1/models").status_code == 200
        assert client.get("/v1/models/stdlib-14m/emergence?limit=1").status_code == 200
        assert not gate.waiting.acquire(timeout=0.2), "more run than their room has seats"
        gate.open.set()
        answers = [one.result() for one in asked]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 80 - 24
    assert {(one.headers["retry-after"], one.json()["type"]) for one in refused} == {
        ("5", "/problems/too-many")
    }
    assert {answer.status_code for answer in answers} == {200, 429}


def test_a_client_that_leaves_frees_its_query_and_its_seat(client: TestClient, gate: Gate) -> None:
    app = client.app

    async def leave() -> None:
        left = asyncio.Event()
        first = True

        async def receive() -> dict[str, Any]:
            nonlocal first
            if first:
                first = False
                return {"type": "http.request", "body": b"", "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None: ...

        scope = {
            "type": "http",
            "method": "GET",
            "path": f"{SAMPLE}/neurons",
            "query_string": b"engine=cypher",
            "headers": [(b"host", b"127.0.0.1")],
            "client": ("127.0.0.1", 1),
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
        }
        asking = asyncio.get_running_loop().create_task(app(scope, receive, send))  # type: ignore[arg-type]
        assert await asyncio.to_thread(gate.waiting.acquire, timeout=20)
        left.set()
        await asyncio.wait_for(asking, 60)

    ran(leave)
    assert gate.left.acquire(timeout=20)
    assert len(app.state.rooms["graph"]) == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [
        f"{SAMPLE}/neurons",
        "/v1/export/stdlib-14m.csv",
        "/v1/compare?model=stdlib-14m&model=org--alone",
        "/v1/models/stdlib-14m/trajectory?name=B00.input.00000",
    ],
)
def test_pages_of_other_sites_ask_for_nothing_costly(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-page")
    for site in ("same-origin", "none"):
        assert client.get(path, headers={"Sec-Fetch-Site": site}).status_code != 403


def test_the_contract_is_made_beside_the_event_loop(
    store: GraphStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, go_on = threading.Event(), threading.Event()
    whole = Service.openapi

    def waiting(self: Service) -> dict[str, Any]:
        made.set()
        assert go_on.wait(60)
        return whole(self)

    app = create_app(settings, store=store)
    with TestClient(app, base_url=LOOPBACK) as client, ThreadPoolExecutor(3) as pool:
        monkeypatch.setattr(Service, "openapi", waiting)
        asked = [pool.submit(client.get, "/openapi.json") for _ in range(3)]
        assert made.wait(60)
        alive = client.get("/healthz").status_code
        go_on.set()
        assert alive == 200
        texts = {one.result().content for one in asked}
    assert texts == {JSONResponse(app.openapi()).body}
