"""The embedded server between its users: shared, restarted, left by nobody, and clear when it cannot start."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neuromfa.errors import QueryTimeout, StoreUnavailable
from neuromfa.graph import GraphStore, Limits, open_store
from neuromfa.servers import arcadedb_server
from neuromfa.servers.arcadedb_server import EmbeddedServer
from neuromfa.servers.file_lock import FileLock, is_held
from neuromfa.servers.ports import accepts, free_ports, is_free
from tests.integration.conftest import Server, has_ended, wait_for

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("embedded")]

USER = """
import sys, time
from pathlib import Path
from neuromfa.servers.arcadedb_server import EmbeddedServer
endpoint = EmbeddedServer(Path(sys.argv[1]), idle_s=1.0).open()
print(endpoint.pid, flush=True)
time.sleep(200)
"""


def is_up(data_dir: Path) -> bool:
    return is_held(data_dir / "graph" / "server.lock")


def test_two_processes_share_one_server_and_the_last_one_stops_it(data_dir: Path) -> None:
    own = EmbeddedServer(data_dir)
    endpoint = own.open()
    with subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == str(endpoint.pid)
        own.close()
        assert is_up(data_dir), "the other process still needs it"
        with open_store(data_dir=data_dir) as store:
            store.write_model("a", source="x")
        assert is_up(data_dir)
        other.kill()
    assert wait_for(lambda: not is_up(data_dir)), "killed users leave no server behind"
    assert not accepts(int(endpoint.uri.rsplit(":", 1)[1]))
    assert not (data_dir / "graph" / "server.json").exists()
    begun = time.monotonic()
    with open_store(data_dir=data_dir) as store:
        assert store.model("a").source == "x"
        assert store.address == endpoint.uri, "ports stay, so that open drivers find it again"
        pid = store._embedded.open().pid  # type: ignore[union-attr]
    assert not is_up(data_dir), "a clean close waits for the server's end"
    assert wait_for(lambda: has_ended(pid))
    assert time.monotonic() - begun < 150


def test_only_the_owner_can_read_the_passwords(embedded_server: Server) -> None:
    folder = embedded_server.where["data_dir"] / "graph"
    for name in ("secrets.json", "server.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_listens_on_loopback_only(embedded_server: Server) -> None:
    with embedded_server.open() as store:
        assert store.address.startswith("bolt://127.0.0.1:")
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    port = f"{int(store.address.rsplit(':', 1)[1]):04X}"
    bound = {
        entry[1].split(":")[0] for entry in listening if entry[3] == "0A" and entry[1].endswith(":" + port)
    }
    assert bound
    assert bound <= {"0100007F", "0000000000000000FFFF00000100007F"}


def test_a_stale_state_file_is_replaced(data_dir: Path) -> None:
    folder = data_dir / "graph"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text('{"pid": 1, "bolt": 1, "http": 1}')
    (folder / "secrets.json").write_text("not even JSON")
    with open_store(data_dir=data_dir) as store:
        store.ping()


@pytest.mark.parametrize("name", ["a file", "below a file"])
def test_a_data_folder_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").write_text("")
    place = tmp_path / "taken" if name == "a file" else tmp_path / "taken" / "deeper"
    with pytest.raises(StoreUnavailable, match="NEUROMFA_DATA_DIR"):
        open_store(data_dir=place)


def test_a_server_that_does_not_start_shows_its_log(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedServer(data_dir, heap="nonsense")
    with pytest.raises(StoreUnavailable, match=r"(?s)did not start.*sidecar\.log says"):
        server.open()
    server.close()
    assert not is_up(data_dir)
    monkeypatch.setattr(arcadedb_server, "PROCESS_FILE", Path("/nothing/here.py"))
    broken = EmbeddedServer(data_dir)
    with pytest.raises(StoreUnavailable, match="ended without a word"):
        broken.open()
    broken.close()


def test_one_starts_it_at_a_time(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arcadedb_server, "START_S", 0.2)
    (data_dir / "graph").mkdir(parents=True)
    with FileLock(data_dir / "graph" / "start.lock") as lock:
        assert lock.take()
        server = EmbeddedServer(data_dir)
        with pytest.raises(StoreUnavailable, match="another process has been starting"):
            server.open()
        server.close()


def test_a_server_that_hangs_is_said_to(data_dir: Path) -> None:
    folder = data_dir / "graph"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(f'{{"pid": 1, "bolt": {free_ports(1)[0]}, "http": 1}}')
    with FileLock(folder / "server.lock") as lock:
        assert lock.take()
        server = EmbeddedServer(data_dir)
        with pytest.raises(StoreUnavailable, match="does not answer"):
            server.open()
        server._hold.close()  # type: ignore[union-attr]


def test_an_open_store_outlives_a_killed_server(data_dir: Path) -> None:
    limits = Limits(retry_s=1.0)
    with open_store(data_dir=data_dir, limits=limits) as store:
        store.write_model("a", source="x")
        os.kill(store._embedded.open().pid, signal.SIGKILL)  # type: ignore[union-attr]
        assert store.model("a").source == "x"
        store.write_model("b", source="y")
        assert [record.id for record in store.models().items] == ["a", "b"]


def test_every_query_has_a_limit(tmp_path: Path) -> None:
    slow = "MATCH (a:Thing), (b:Thing), (c:Thing) WHERE a.k + b.k + c.k = 3000 RETURN count(*) AS n"
    limits = Limits(query_s=20.0, longest_query_s=20.0, write_s=20.0)
    with open_store(data_dir=tmp_path, limits=limits) as store:
        store.write(
            lambda transaction: transaction.rows_of("UNWIND range(1, 1500) AS k CREATE (:Thing {k: k})", {})
        )
    limits = Limits(query_s=20.0, longest_query_s=4.0, write_s=4.0)
    with open_store(data_dir=tmp_path, limits=limits) as store:
        object.__setattr__(store._connection.limits, "longest_query_s", 60.0)  # the server has to end it
        begun = time.monotonic()
        with pytest.raises(QueryTimeout):
            store.read(lambda transaction: transaction.rows_of(slow, {}))
        assert time.monotonic() - begun < 60


def test_locks_of_one_process_are_two_parties(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path) as first, FileLock(path) as second:
        assert first.take(shared=True)
        assert second.take(shared=True)
        assert not second.wait(seconds=0.1)
        assert first.take(), "a change that failed lost what was held"
        assert not second.take(shared=True)
        assert is_held(path)
        first.release()
        assert not is_held(path)
        assert not first.orphaned()
        path.unlink()
        assert first.orphaned()


def test_free_ports_are_free() -> None:
    ports = free_ports(3)
    assert len(set(ports)) == 3
    assert all(is_free(port) and not accepts(port) for port in ports)


def test_a_store_is_closed_when_opening_fails_half_way(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: GraphStore) -> None:
        raise StoreUnavailable("made up")

    monkeypatch.setattr(GraphStore, "ensure_schema", fail)
    with pytest.raises(StoreUnavailable, match="made up"):
        open_store(data_dir=data_dir)
    assert not is_up(data_dir)
