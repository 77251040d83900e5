"""Addresses of a store: no secret is shown, and what answers at a wrong one is said as what it is."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from neuromfa.app.settings import load_settings
from neuromfa.errors import OptionError, StoreUnavailable
from neuromfa.graph import Limits, open_store
from neuromfa.servers.bolt_address import what_answers, without_password
from tests.serving import closed_port

QUICK = replace(Limits(), connect_s=0.5, retry_s=0.1)
SECRET = "secret-of-mine"  # noqa: S105 - no real one


@pytest.mark.parametrize(
    "uri",
    [
        f"bolt://user:{SECRET}@127.0.0.1:1",
        f"neo4j+s://:{SECRET}@host:7687",
        f"bolt://{SECRET}@host",
        f"bolt://user:{SECRET}@x@host",
        f"http://user:{SECRET}@host",
    ],
)
def test_a_password_in_an_address_is_masked_and_has_a_setting(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SECRET not in without_password(uri)
    monkeypatch.setenv("NEUROMFA_NEO4J_URI", uri)
    for opened, kind in (
        (load_settings, OptionError),
        (lambda: open_store(uri=uri, limits=QUICK), StoreUnavailable),
    ):
        with pytest.raises(kind, match="put the password in NEUROMFA_NEO4J_PASSWORD") as told:
            opened()
        assert SECRET not in str(told.value)


@pytest.mark.parametrize("uri", ["http://localhost:7474", "localhost:7687", "bolt:/x", "", "ftp://h"])
def test_what_is_no_address_is_told_by_an_example(uri: str) -> None:
    with pytest.raises(StoreUnavailable, match="begins with bolt, .* such as bolt://127.0.0.1:7687") as told:
        open_store(uri=uri, limits=QUICK)
    assert "^" not in str(told.value)


@contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """Give the port of a listener that hands every connection to `answer`."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


class Page(BaseHTTPRequestHandler):
    """Answers any request with a page."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def web_server() -> Iterator[int]:
    """Give the port of a web server."""
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def certified(tmp_path: Path) -> Callable[[socket.socket], object]:
    """Return what greets a connection by TLS, with a certificate it signed itself."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)  # noqa: S603
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def greet(connection: socket.socket) -> None:
        connection.settimeout(20)
        try:
            context.wrap_socket(connection, server_side=True).close()
        except OSError:
            connection.close()

    return greet


def refusal(uri: str) -> str:
    """Return what opening a store at an address says."""
    with pytest.raises(StoreUnavailable) as told:
        open_store(uri=uri, limits=QUICK)
    return str(told.value)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers is waited for, on a machine that stands still for a while too."""
    monkeypatch.setitem(what_answers.__kwdefaults__, "timeout", 20.0)


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_web_server_is_called_one(patient: None, scheme: str) -> None:
    with web_server() as port:
        assert "a web server answers there" in refusal(f"{scheme}://127.0.0.1:{port}")


@pytest.mark.parametrize("scheme", ["bolt", "bolt+ssc"])
def test_a_port_that_says_nothing(scheme: str) -> None:
    with listening(lambda connection: None) as port:
        assert "says nothing" in refusal(f"{scheme}://127.0.0.1:{port}")


def test_tls_where_none_was_asked_for_and_the_other_way_round(
    patient: None, certified: Callable[[socket.socket], object]
) -> None:
    with listening(certified) as port:
        assert "speaks TLS: use bolt+s://" in refusal(f"bolt://127.0.0.1:{port}")
        assert "its certificate is not trusted here; bolt+ssc://" in refusal(f"bolt+s://127.0.0.1:{port}")
    with web_server() as port:
        assert "does not speak TLS: use bolt://" in refusal(f"bolt+ssc://127.0.0.1:{port}")


def test_a_closed_port_is_still_told_as_one() -> None:
    with closed_port() as port:
        assert what_answers(f"bolt://127.0.0.1:{port}") is None
        assert "start it" in refusal(f"bolt://127.0.0.1:{port}")
