"""Jobs over REST: queued, worked on by a real worker, followed and cancelled; and what they may not read."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from neuromfa.app import job_watch
from neuromfa.app.api import jobs
from neuromfa.app.concurrency_limit import Seats
from neuromfa.app.job_watch import JobWatch
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.app.source_policy import admitted
from neuromfa.errors import OptionError, StoreUnavailable
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import work
from neuromfa.options import AnalysisOptions
from tests.api.conftest import LOOPBACK, strict_json
from tests.api.test_contracts import check

SERIES = Path(__file__).parents[2] / "series"
KEY = "a-key-of-some-length"
QUICK = {"samples": 2, "nodes": 16, "nulls": False}
STATE = {"$ref": "#/components/schemas/Job"}


def quiet(sentence: str) -> None:
    """Tell nobody what a worker says."""


@pytest.fixture
def client(store: GraphStore, settings: Settings) -> Iterator[TestClient]:
    """The service, which may read the bundled series; jobs that a test leaves waiting are cancelled."""
    named = settings.model_copy(update={"sources": f"{SERIES}, https://files.example/runs"})
    with TestClient(
        create_app(named, store=store), base_url=LOOPBACK, raise_server_exceptions=False
    ) as ready:
        yield ready
    for status in ("queued", "running"):
        for job in JobQueue(store).jobs(status=status).items:
            JobQueue(store).cancel(job.id)


def post(client: TestClient, **body: Any) -> dict[str, Any]:
    """Queue a job of the bundled series, which is well unless `body` says otherwise."""
    whole = {"source": str(SERIES / "stdlib-14m"), "steps": "0", "model_id": "by/rest", "options": QUICK}
    answer = client.post("/v1/jobs", json=whole | body)
    assert answer.status_code == 202, answer.text
    state = strict_json(answer.text)
    assert answer.headers["location"] == f"/v1/jobs/{state['id']}"
    check(state, STATE)
    return dict(state)


def refused(client: TestClient, status: int, **body: Any) -> str:
    """Return the sentence of a problem."""
    whole = {"source": str(SERIES / "stdlib-14m"), "steps": "0"} | body
    answer = client.post("/v1/jobs", json=whole)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    return str(strict_json(answer.text)["detail"])


def events_of(text: str) -> list[dict[str, str]]:
    """Return the events of a stream as their fields."""
    blocks = [block for block in text.split("\n\n") if "data: " in block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_a_job_is_queued_done_and_its_numbers_are_served(client: TestClient, store: GraphStore) -> None:
    queued = post(client)
    assert (queued["status"], queued["done"], queued["total"]) == ("queued", 0, 0)
    assert queued["request"]["source"] == str(SERIES / "stdlib-14m")
    assert queued["request"]["options"]["nodes"] == 16
    assert client.get("/v1/models/by--rest").status_code == 404
    work(store, until_empty=True, tell=quiet)
    done = client.get(f"/v1/jobs/{queued['id']}").json()
    check(done, STATE)
    assert (done["status"], done["done"], done["total"], done["attempts"]) == ("done", 1, 1, 1)
    assert client.get("/v1/models/by--rest/checkpoints/0/metrics").json()["alpha0"]["n"] == 2
    assert len(client.get("/v1/models/by--rest/checkpoints/0/samples").json()["items"]) == 1
    store.delete_model("by/rest")


def test_units_of_a_job_are_listed_in_pages(client: TestClient, store: GraphStore) -> None:
    id = post(client, steps="0,32,512")["id"]
    route = f"/v1/jobs/{id}/units"
    assert client.get(route).json() == {"items": [], "next": None}
    assert client.get(f"/v1/jobs/{id}").json()["units"] is None
    work(store, until_empty=True, tell=quiet)
    first = client.get(route, params={"limit": 2}).json()
    check(first, {"$ref": "#/components/schemas/Listing_Unit_"})
    second = client.get(route, params={"limit": 2, "cursor": first["next"]}).json()
    found = [*first["items"], *second["items"]]
    assert [(one["id"], one["step"], one["status"]) for one in found] == [
        (f"{id}@{step}", step, "done") for step in (0, 32, 512)
    ]
    counts = {"queued": 0, "running": 0, "done": 3, "failed": 0, "skipped": 0}
    assert client.get(f"/v1/jobs/{id}").json()["units"] == counts
    assert client.get(route, params={"status": "failed"}).json()["items"] == []
    for parameters in ({"cursor": "x"}, {"status": "odd"}, {"limit": 0}):
        refusal = client.get(route, params=parameters)
        assert (refusal.status_code, refusal.headers["content-type"]) == (422, "application/problem+json")
    missing = client.get(f"/v1/jobs/{'0' * 32}/units")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    store.delete_model("by/rest")


def test_a_job_that_fails_says_why(client: TestClient, store: GraphStore) -> None:
    job = JobQueue(store).enqueue({})
    work(store, until_empty=True, tell=quiet)
    failed = client.get(f"/v1/jobs/{job.id}").json()
    check(failed, STATE)
    assert (failed["status"], failed["request"]) == ("failed", {})
    assert "another version" in failed["message"]


def test_jobs_are_listed_newest_first_in_pages(client: TestClient) -> None:
    made = [post(client, model_id=f"by/rest{n}")["id"] for n in range(3)]
    first = client.get("/v1/jobs", params={"limit": 2}).json()
    second = client.get("/v1/jobs", params={"limit": 2, "cursor": first["next"]}).json()
    found = [item["id"] for item in (*first["items"], *second["items"])]
    assert found[:3] == made[::-1]
    client.delete(f"/v1/jobs/{made[1]}")
    queued = client.get("/v1/jobs", params={"status": "queued"}).json()["items"]
    assert [item["id"] for item in queued][:2] == [made[2], made[0]]
    for parameters in ({"cursor": "x"}, {"status": "odd"}, {"limit": 0}):
        assert client.get("/v1/jobs", params=parameters).status_code == 422


def test_a_waiting_job_is_cancelled_at_once_and_stays_so(client: TestClient, store: GraphStore) -> None:
    id = post(client)["id"]
    for _ in range(2):
        answer = client.delete(f"/v1/jobs/{id}")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert work(store, until_empty=True, tell=quiet) == 0


def test_a_running_job_is_asked_to_stop(client: TestClient, store: GraphStore) -> None:
    id = post(client)["id"]
    assert JobQueue(store).claim("somebody") is not None
    answer = client.delete(f"/v1/jobs/{id}").json()
    assert (answer["status"], answer["cancelling"]) == ("running", True)
    JobQueue(store).finish(JobQueue(store).job(id), "somebody", "cancelled")
    assert client.get(f"/v1/jobs/{id}").json()["status"] == "cancelled"


def test_the_same_request_is_the_same_job_while_it_is_open(client: TestClient) -> None:
    first = post(client)
    body = {"source": str(SERIES / "stdlib-14m"), "steps": "0", "model_id": "by/rest", "options": QUICK}
    again = client.post("/v1/jobs", json=body | {"priority": 3})
    assert (again.status_code, again.json()) == (200, first)
    assert again.headers["location"] == f"/v1/jobs/{first['id']}"
    client.delete(f"/v1/jobs/{first['id']}")
    assert post(client, priority=3)["priority"] == 3
    assert "body.priority" in refused(client, 422, priority=101)


def test_a_job_that_is_over_is_tried_again(client: TestClient, store: GraphStore) -> None:
    id = post(client)["id"]
    refusal = client.post(f"/v1/jobs/{id}/retry")
    assert (refusal.status_code, refusal.json()["type"]) == (409, "/problems/job-refused")
    client.delete(f"/v1/jobs/{id}")
    answer = client.post(f"/v1/jobs/{id}/retry")
    assert (answer.status_code, answer.json()["status"], answer.json()["id"]) == (202, "queued", id)
    check(answer.json(), STATE)
    work(store, until_empty=True, tell=quiet)
    assert client.get(f"/v1/jobs/{id}").json()["status"] == "done"
    store.delete_model("by/rest")


@pytest.mark.parametrize("path", ["/v1/jobs/{}", "/v1/jobs/{}/events"])
def test_jobs_that_are_not_there(client: TestClient, path: str) -> None:
    assert client.get(path.format("0" * 32)).status_code == 404
    assert client.delete(f"/v1/jobs/{'0' * 32}").status_code == 404
    assert client.post(f"/v1/jobs/{'0' * 32}/retry").status_code == 404
    for id in ("x", "0" * 31, "0" * 33, "'}) DETACH DELETE (n) //", "%00", "A" * 32):
        assert client.get(path.format(id)).status_code in (404, 422)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"source": ""}, "body.source"),
        ({"source": "x" * 1001}, "body.source"),
        ({"steps": "some"}, "body.steps"),
        ({"steps": "0,,1"}, "body.steps"),
        ({"steps": "7"}, "has no step 7; it has 0, 32"),
        ({"revision": "main"}, "--revision is for repositories of the hub"),
        ({"model_id": "a--b"}, "has no --, as routes and files write a slash so"),
        ({"model_id": ""}, "body.model_id"),
        ({"architecture": "../../etc/passwd"}, "architecture is one of"),
        ({"architecture": "nothing"}, "architecture is one of"),
        ({"graph_samples": -1}, "body.graph_samples"),
        ({"graph_samples": 101}, "body.graph_samples"),
        ({"download": True}, "download is for the command line"),
        ({"unheard": True}, "body.unheard"),
        ({"options": {"nodes": 0}}, "body.options.nodes"),
        ({"options": {"nodes": 4097}}, "body.options.nodes"),
        ({"options": {"samples": 101}}, "body.options.samples"),
        ({"options": {"profile": "odd"}}, "body.options.profile"),
        ({"options": {"lambda": 0}}, "body.options.lambda"),
        ({"options": {"scale": 2}}, "body.options.scale"),
        ({"options": {"q": [-1, 0, 1] * 200}}, "body.options.q"),
        ({"options": {"q": [1, 0, -1]}}, "ascending"),
        ({"options": {"baseline": "yesterday"}}, "body.options.baseline"),
        (
            {"options": {"hops": "multi", "profile": "paper"}},
            "hops multi is defined for the profiles exact and shape",
        ),
        ({"options": {"grid": "fixed", "max_distance": 30}}, "fixed grid"),
        ({"options": {"seed": 2**32}}, "body.options.seed"),
        ({"options": {"surprise": 1}}, "body.options.surprise"),
        ({"options": []}, "body.options"),
    ],
)
def test_bad_requests_say_what_is_wrong(client: TestClient, store: GraphStore, body: Any, words: str) -> None:
    before = len(JobQueue(store).jobs().items)
    assert words in refused(client, 422, **body)
    assert len(JobQueue(store).jobs().items) == before


def test_bodies_that_are_no_json_are_refused(client: TestClient) -> None:
    for content in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"source": NaN}', b"[" * 100_000):
        answer = client.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), content
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_defaults_are_those_of_the_library() -> None:
    asked = IngestRequest.from_json({"source": "x"})
    assert asked == IngestRequest(source="x")
    assert (asked.steps, asked.graph_samples, asked.options) == ("all", 1, AnalysisOptions())


def test_too_many_waiting_jobs_are_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_WAITING", 1)
    post(client)
    answer = client.post("/v1/jobs", json={"source": str(SERIES / "stdlib-14m")})
    assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
    assert "neuromfa worker" in answer.json()["detail"]


def test_a_large_body_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/v1/jobs", content=b"x" * 1_000_001)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")

    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = client.post("/v1/jobs", content=pieces(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")


# what may be read


@pytest.mark.parametrize(
    "source",
    [
        "/etc",
        "/",
        f"{SERIES}/../tests",
        f"{SERIES}2",
        f"{SERIES.parent}",
        f"{SERIES.parent}/{{n}}",
        f"{SERIES}/../{{n}}",
        "https://files.example/runsX/a",
        "https://files.example/other",
        "https://files.example:8443/runs",
        "https://files.example.evil.example/runs",
        "http://files.example/runs",
        "http://127.0.0.1:1/runs",
        "http://169.254.169.254/latest",
        "s3://bucket/run",
    ],
)
def test_what_nobody_named_is_not_read(client: TestClient, source: str) -> None:
    assert "NEUROMFA_SOURCES" in refused(client, 422, source=source)


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "https://user@files.example/runs",
        "https://files.example/runs/../private",
        "https://files.example/runs/%2e%2e/private",
        "https://files.example/runs?x=1",
        "https://files.example/runs#x",
        "https://files.example/runs\\..\\x",
        "https://files.example/runs//x",
        "simplecache::https://files.example/runs",
        "https://files.example/runs\nX-Evil: 1",
    ],
)
def test_an_address_has_one_plain_form(client: TestClient, source: str) -> None:
    assert "is no plain address" in refused(client, 422, source=source)


@pytest.mark.parametrize(
    "source", ["../series", "series/stdlib-14m/step0", "~/runs", "a b", "./x", "org/name/more", "..", "\x00"]
)
def test_a_folder_is_named_by_its_whole_path(client: TestClient, source: str) -> None:
    assert "its whole path" in refused(client, 422, source=source)


def test_a_folder_of_this_place_is_no_hub_repository(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "org" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert "is a folder here too" in refused(client, 422, source="org/name")


def test_without_a_word_no_folder_is_read(store: GraphStore, settings: Settings) -> None:
    with TestClient(create_app(settings, store=store), base_url=LOOPBACK) as client:
        assert "NEUROMFA_SOURCES" in refused(client, 422)
        assert "NEUROMFA_SOURCES" in refused(client, 422, source="https://files.example/runs")


def test_sources_that_are_let_in(tmp_path: Path) -> None:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "out").symlink_to("/etc")
    allowed = (str(tmp_path / "link"), "https://files.example/runs/", "s3://bucket/run")
    whole = (tmp_path / "runs").resolve()
    for source, opened in (
        (f"{tmp_path}/runs", str(whole)),
        (f"{tmp_path}/link/a", f"{whole}/a"),
        (f"{tmp_path}/runs/./a/../a", f"{whole}/a"),
        (f"{tmp_path}/link/ckpt_{{n}}", f"{whole}/ckpt_{{n}}"),
        ("https://files.example/runs", "https://files.example/runs"),
        ("https://files.example/runs/a/step_{n}", "https://files.example/runs/a/step_{n}"),
        ("s3://bucket/run/b", "s3://bucket/run/b"),
        ("EleutherAI/pythia-70m-deduped", "EleutherAI/pythia-70m-deduped"),
        ("gpt2", "gpt2"),
    ):
        assert admitted(source, allowed) == opened
    with pytest.raises(OptionError, match="not among those"):
        admitted(f"{tmp_path}/runs/out", allowed)


def test_no_request_leaves_for_an_address_that_is_refused(client: TestClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        for source in (f"http://127.0.0.1:{port}/runs", f"https://localhost:{port}/runs"):
            refused(client, 422, source=source)
        with pytest.raises(TimeoutError):
            listener.accept()


# who may write


def test_writes_need_the_key_once_there_is_one(store: GraphStore, settings: Settings) -> None:
    keyed = Settings(api_key=KEY, sources=str(SERIES))
    bearer = {"Authorization": f"Bearer {KEY}"}
    body = {"source": str(SERIES / "stdlib-14m"), "steps": "0"}
    with TestClient(create_app(keyed, store=store), base_url=LOOPBACK) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {KEY}x"}):
            for method, path in (
                ("POST", "/v1/jobs"),
                ("POST", f"/v1/jobs/{'0' * 32}/retry"),
                ("DELETE", f"/v1/jobs/{'0' * 32}"),
            ):
                answer = client.request(method, path, json=body, headers=headers)
                assert (answer.status_code, answer.json()["type"]) == (401, "/problems/key-needed")
        assert client.get("/v1/jobs").status_code == 200
        made = client.post("/v1/jobs", json=body, headers=bearer)
        assert made.status_code == 202
        assert client.delete(made.headers["location"], headers=bearer).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://[", "https://"]
)
def test_a_page_of_another_site_cannot_write(client: TestClient, origin: str) -> None:
    for method, path in (("POST", "/v1/jobs"), ("DELETE", f"/v1/jobs/{'0' * 32}")):
        answer = client.request(method, path, json={"source": "gpt2"}, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-page")
    assert client.delete(f"/v1/jobs/{'0' * 32}", headers={"Origin": LOOPBACK}).status_code == 404


# following


def test_every_change_is_an_event_until_the_end(
    client: TestClient, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_watch, "LOOK_S", 0.1)
    id = post(client, steps="0,32")["id"]
    worker = threading.Thread(target=lambda: work(store, until_empty=True, tell=quiet))
    whole = jobs._event

    def begin_after_the_first(state: Job) -> str:
        if worker.ident is None:
            worker.start()
        return whole(state)

    monkeypatch.setattr(jobs, "_event", begin_after_the_first)
    answer = client.get(f"/v1/jobs/{id}/events")
    worker.join()
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    found = events_of(answer.text)
    states = [json.loads(event["data"]) for event in found]
    for state in states:
        check(state, STATE)
    assert {event["event"] for event in found} == {"job"}
    assert [state["status"] for state in states if state["status"] != "running"] == ["queued", "done"]
    progress = [state["done"] for state in states]
    assert progress == sorted(progress)
    assert states[-1] == client.get(f"/v1/jobs/{id}").json()
    again = client.get(f"/v1/jobs/{id}/events", headers={"Last-Event-ID": found[-1]["id"]})
    assert (again.status_code, again.content) == (204, b"")
    assert len(events_of(client.get(f"/v1/jobs/{id}/events").text)) == 1
    store.delete_model("by/rest")


def test_a_quiet_stream_has_a_heartbeat_and_an_end(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_watch, "LOOK_S", 0.02)
    for name, seconds in (("HEARTBEAT_S", 0.1), ("LONGEST_S", 3.5)):
        monkeypatch.setattr(jobs, name, seconds)
    monkeypatch.setattr(
        jobs, "time", SimpleNamespace(monotonic=count().__next__)
    )  # a second goes by with each look
    text = client.get(f"/v1/jobs/{post(client)['id']}/events").text
    assert text.startswith("retry: 3000\n\n")
    assert text.count(": still there\n\n") == 3
    assert len(events_of(text)) == 1


def test_as_many_streams_as_there_are_seats(client: TestClient) -> None:
    id = post(client)["id"]
    client.app.state.followers = Seats(0, "streams of events")  # type: ignore[attr-defined]
    answer = client.get(f"/v1/jobs/{id}/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")


@pytest.mark.parametrize("ends_by", ["the store is away", "the reader hangs up", "before its first event"])
def test_a_stream_that_ends_gives_its_seat_back(
    client: TestClient, store: GraphStore, monkeypatch: pytest.MonkeyPatch, ends_by: str
) -> None:
    monkeypatch.setattr(job_watch, "LOOK_S", 0.01)
    state, seats = JobQueue(store).job(post(client)["id"]), Seats(1, "streams")

    def away(_: str) -> Job:
        raise StoreUnavailable("away")

    async def listen() -> list[bytes]:
        heard: list[bytes] = []
        hung_up = asyncio.Event()

        async def receive() -> dict[str, str]:
            await hung_up.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            if ends_by == "before its first event":
                raise OSError("gone")
            heard.append(message.get("body", b""))
            if ends_by == "the reader hangs up":
                hung_up.set()

        seats.take()
        watch = JobWatch(away if ends_by == "the store is away" else lambda _: state)
        answer = jobs._Followed(jobs._events(watch, state), seats)
        with contextlib.suppress(Exception):
            await answer({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
        return heard

    # in a thread of its own: browser tests in the same process keep a loop running in this one
    with ThreadPoolExecutor(1) as thread:
        heard = thread.submit(lambda: asyncio.run(asyncio.wait_for(listen(), 20))).result(30)
    assert (len(heard) > 0) == (ends_by != "before its first event")
    seats.take()


def test_those_who_follow_one_job_share_a_look(
    client: TestClient, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_watch, "LOOK_S", 0.05)
    state, looks = JobQueue(store).job(post(client)["id"]), 0

    def look(_: str) -> Job:
        nonlocal looks
        looks += 1
        return replace(state, status="done") if looks == 4 else state

    async def follow(watch: JobWatch) -> list[str]:
        return [event async for event in jobs._events(watch, state)]

    async def all_of_them() -> list[list[str]]:
        watch = JobWatch(look)
        return await asyncio.gather(*(follow(watch) for _ in range(20)))

    with ThreadPoolExecutor(1) as thread:
        heard = thread.submit(lambda: asyncio.run(all_of_them())).result(30)
    assert looks == 4
    assert {len(events) for events in heard} == {2}
    assert all("done" in events[-1] for events in heard)


def test_a_source_that_says_nothing_is_left_to_the_worker(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many of them wait at once as may; the threads that wait take nobody's place but each other's."""
    silent = threading.Event()
    monkeypatch.setattr(jobs, "SOURCE_S", 0.2)
    monkeypatch.setattr(IngestRequest, "open", lambda self: silent.wait(250))
    try:
        begun = time.monotonic()
        for k in range(jobs.MOST_LOOKS + 2):
            post(client, model_id=f"silent/{k}")
        assert 0.2 * jobs.MOST_LOOKS < time.monotonic() - begun < 200
    finally:
        silent.set()
