"""The service as a process: its port, its signals, and what it says when it cannot start."""

import signal
import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from neuromfa.app.server import address_of, bind, run
from neuromfa.app.settings import Settings
from neuromfa.errors import OptionError, StoreUnavailable
from neuromfa.graph import GraphStore
from tests.serving import served


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
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = Settings(
        _env_file=None, port=0, neo4j_uri=f"bolt://127.0.0.1:{port}", neo4j_password="pw", connect_timeout=1
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
