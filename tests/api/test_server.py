"""The service as a process: its port, its signals, and what it says when it cannot start."""

import json
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import uvicorn

from neuromfa.app import http_protocol
from neuromfa.app.main import create_app
from neuromfa.app.middleware import body_limit
from neuromfa.app.server import _config, address_of, bind, run
from neuromfa.app.settings import Settings
from neuromfa.errors import OptionError, StoreUnavailable
from neuromfa.graph import GraphStore, Page
from tests.serving import closed_port, served


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_in_order(
    store: GraphStore, filled_dir: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with served(filled_dir, tmp_path) as (process, address):
        assert httpx.get(f"{address}/healthz").json() == {"status": "alive"}
        assert len(httpx.get(f"{address}/v1/models").json()["items"]) == 2
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/healthz")


def test_a_taken_port_is_one_sentence_and_opens_no_store(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = Settings(_env_file=None, port=port, data_dir=tmp_path / "untouched")
        with pytest.raises(OptionError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*NEUROMFA_PORT"):
            run(settings)
    assert not (tmp_path / "untouched").exists()


def test_an_address_of_another_machine_is_one_sentence() -> None:
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(OptionError, match=r"cannot listen on"):
            bind(Settings(_env_file=None, host=host, port=0))


def test_it_never_listens_publicly_without_a_key(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "lab.example"):
        with pytest.raises(OptionError, match="NEUROMFA_API_KEY"):
            run(Settings(_env_file=None, host=host, port=0, data_dir=tmp_path))


def test_a_store_that_is_away_is_one_sentence() -> None:
    with closed_port() as port:
        settings = Settings(
            _env_file=None,
            port=0,
            neo4j_uri=f"bolt://127.0.0.1:{port}",
            neo4j_password="pw",
            connect_timeout=1,
        )
        with pytest.raises(StoreUnavailable, match=f"bolt://127.0.0.1:{port}"):
            run(settings)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", r"[::1]")]
)
def test_the_address_can_be_opened(host: str, shown: str) -> None:
    try:
        listener = bind(Settings(_env_file=None, host=host, port=0))
    except OptionError:
        pytest.skip(f"this machine has no address {host}")
    with closing(listener):
        assert address_of(listener) == f"http://{shown}:{listener.getsockname()[1]}"


# on the wire


@pytest.fixture
def wire(
    request: pytest.FixtureRequest, store: GraphStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """The port of a service in this process, which waits half a second for headers and bodies, or as told."""
    seconds = getattr(request, "param", 0.5)
    monkeypatch.setattr(http_protocol, "HEADERS_S", seconds)
    monkeypatch.setattr(body_limit, "LONGEST_S", seconds)
    with closing(bind(settings.model_copy(update={"port": 0}))) as listener:
        server = uvicorn.Server(_config(settings, create_app(settings, store=store)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


def said(port: int, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send parts over one connection and return the last answer, all of which must come to an end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        heard = b""
        while piece := connection.recv(1 << 16):
            heard += piece
    *_, last = heard.rpartition(b"HTTP/1.1 ")
    head, _, body = last.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[0]), dict(line.lower().split(": ", 1) for line in lines), body


WHOLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "parts",
    [(), (b"G",), (b"GET /healthz HTTP/1.1\r\nHost: 127.0",), (WHOLE, b"GET /hea"), (WHOLE + b"GET /hea",)],
)
def test_headers_that_do_not_end_are_not_waited_for(wire: int, parts: tuple[bytes, ...]) -> None:
    status, headers, body = said(wire, *parts)
    assert (status, headers["content-type"]) == (408, "application/problem+json")
    assert json.loads(body)["type"] == "/problems/too-slow"
    assert json.loads(body)["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize("wire", [60.0], indirect=True)
def test_what_is_no_http_is_a_problem_too(wire: int) -> None:
    for text in (b"what?\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", WHOLE + b"\x00\r\n\r\n"):
        status, headers, body = said(wire, text)
        assert (status, headers["content-type"]) == (400, "application/problem+json")
        assert json.loads(body)["detail"] == "Invalid HTTP request received."


def test_a_body_that_does_not_come_is_not_waited_for(wire: int) -> None:
    head = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    status, headers, body = said(wire, head + b"Connection: close\r\n\r\n{")
    assert (status, json.loads(body)["type"]) == (408, "/problems/too-slow")


@pytest.mark.parametrize("wire", [1.0], indirect=True)
def test_a_request_that_takes_long_is_waited_for(
    wire: int, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(store), "models", lambda *_, **__: time.sleep(1.5) or Page([], None))
    answer = httpx.get(f"http://127.0.0.1:{wire}/v1/models")
    assert answer.json() == {"items": [], "next": None}


def test_every_line_of_the_log_has_the_id_of_its_request(filled_dir: Path, tmp_path: Path) -> None:
    with served(filled_dir, tmp_path, NEUROMFA_LOG_LEVEL="info") as (process, address):
        httpx.get(f"{address}/healthz", headers={"X-Request-ID": "told-by-client"})
        httpx.get(f"{address}/v1/models/nope", headers={"X-Request-ID": "another-client"})
        process.terminate()
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    assert [line for line in lines if "/healthz" in line and "request told-by-client: " in line]
    assert [line for line in lines if "/v1/models/nope" in line and "request another-client: " in line]


ARENAS_USED = """
import ctypes, threading
from neuromfa.app.arenas import few_arenas
few_arenas()
together = threading.Barrier(8)
def take():
    together.wait()
    held = [bytearray(5000) for _ in range(2000)]
    together.wait()
threads = [threading.Thread(target=take) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="places of memory are those of glibc")
def test_threads_share_two_places_of_memory() -> None:
    run = subprocess.run([sys.executable, "-c", ARENAS_USED], capture_output=True, text=True, check=True)
    assert 1 <= run.stdout.count("<heap nr=") <= 2
    free = ARENAS_USED.replace("few_arenas()\ntogether", "together")
    by_itself = subprocess.run([sys.executable, "-c", free], capture_output=True, text=True, check=True)
    assert by_itself.stdout.count("<heap nr=") > 2
