"""Any number of processes may start at once on an empty store, and one that was left half made heals."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.errors import SchemaMismatch, StoreError
from neuromfa.graph import GraphStore, Limits, schema
from neuromfa.graph.connection import Connection
from neuromfa.graph.cypher_files import query
from neuromfa.graph.schema import current_version, migrations
from tests.integration.conftest import QUICK, SERVERS, Server, new_server
from tests.integration.making import make_graph

STEP = Path(__file__).parents[2] / "series" / "stdlib-14m" / "step2000"
INGEST = ["ingest", str(STEP), "--samples", "1", "--nodes", "16", "--baseline", "none", "--no-nulls"]
COMMANDS = [
    *(["serve", "--port", "0"] for _ in range(2)),
    *(["worker", "--until-empty"] for _ in range(4)),
    *([*INGEST, "--model-id", name] for name in ("first", "second")),
]
# imports take seconds and come before the word, so that all meet the store within a few milliseconds
WAITING = """
import sys
from neuromfa.app.cli.main import main
import neuromfa.app.cli.ingest, neuromfa.app.server
print("loaded", flush=True)
sys.stdin.readline()
main()
"""
ADDRESS = re.compile(r"http://[\d.]+:\d+")
ANSWER_S = 240


@pytest.fixture(params=SERVERS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Each kind of server in turn, with nothing in it: no test before it has been there."""
    with new_server(request.param, tmp_path / "store") as server:
        yield server


def environment(server: Server) -> dict[str, str]:
    """Return the settings that lead a command to a server."""
    names = {"uri": "NEO4J_URI", "user": "NEO4J_USER", "password": "NEO4J_PASSWORD", "data_dir": "DATA_DIR"}
    return os.environ | {f"NEUROMFA_{names[name]}": str(value) for name, value in server.where.items()}


@contextmanager
def begun(command: list[str], server: Server, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a command; it says a line when it waits for the others."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, *command],
        cwd=cwd,
        env=environment(server) | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "200"},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def at_once(server: Server, cwd: Path, commands: list[list[str]]) -> list[str]:
    """Start commands in one moment; return what they said, once each did its work and ended well."""
    with ExitStack() as stack:
        processes = [stack.enter_context(begun(command, server, cwd)) for command in commands]
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "loaded\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [ended(*pair) for pair in zip(processes, commands, strict=True)]


def ended(process: "subprocess.Popen[str]", command: list[str]) -> str:
    """Wait for the end of a command; a service is asked first and stopped after."""
    said = ""
    if command[0] == "serve":
        assert process.stderr is not None
        said = next((line for line in process.stderr if ADDRESS.search(line)), "")
        assert said, "the service ended"
        address = ADDRESS.findall(said)[0]
        with urllib.request.urlopen(f"{address}/readyz", timeout=30) as answer:
            assert json.load(answer)["status"] == "ready"
        process.terminate()
    out, rest = process.communicate(timeout=ANSWER_S)
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}: {rest}"
    return said + out + rest


def check_birth(server: Server, cwd: Path, commands: list[list[str]] = COMMANDS) -> None:
    said = at_once(server, cwd, commands)
    assert not [text for text in said if "repaired" in text]
    with server.open() as store:
        assert {record.id for record in store.models().items} == {"first", "second"}
    check_whole(server)


def check_whole(server: Server) -> None:
    """One mark of this version, and every statement of every migration finds its work done."""
    assert marks(server) == [current_version()]
    with server.open(prepare=False) as store:
        for name in [name for migration in migrations() for name in migration.statements]:
            assert not store._connection.run_schema(query(name).text), name


def marks(server: Server) -> list[int]:
    return [row[0] for row in server.raw("MATCH (v:SchemaVersion) RETURN v.version")]


def test_processes_of_every_kind_start_at_once_on_an_empty_store(empty: Server, tmp_path: Path) -> None:
    check_birth(empty, tmp_path, COMMANDS[::2] + COMMANDS[-1:])


@pytest.mark.long
@pytest.mark.parametrize("again", range(20))
def test_eight_processes_start_at_once_again_and_again(empty: Server, tmp_path: Path, again: int) -> None:
    check_birth(empty, tmp_path)


# stores that were left half made


@pytest.fixture
def half_made(store: GraphStore, server: Server) -> Iterator[Server]:
    """A server whose schema a test may take apart; it is whole again at the end, whatever the test did."""
    server.raw("DROP CONSTRAINT schema_version_id IF EXISTS")
    server.raw("DROP INDEX neuron_name IF EXISTS")
    yield server
    server.raw("MATCH (v:SchemaVersion) DELETE v")
    server.raw("CREATE (:SchemaVersion {id: 'neuromfa', version: 0})")
    server.open().close()


def said_in(log: pytest.LogCaptureFixture) -> list[str]:
    """What the schema said; the driver says its own retries beside it."""
    return [record.getMessage() for record in log.records if record.name == "neuromfa.graph.schema"]


def address_of(server: Server) -> str:
    with server.open(prepare=False) as store:
        return store.address


def add_marks(server: Server, *versions: int) -> None:
    server.raw("UNWIND $v AS v CREATE (:SchemaVersion {id: 'neuromfa', version: v})", v=list(versions))


def open_at_once(server: Server, times: int, *, limits: Limits = QUICK) -> None:
    together = threading.Barrier(times)

    def one(_: int) -> None:
        together.wait()
        server.open(limits=limits).close()

    with ThreadPoolExecutor(times) as pool:
        list(pool.map(one, range(times)))


@pytest.mark.parametrize("more", [1, 2])
@pytest.mark.parametrize("starts", [1, 8])
def test_doubled_marks_heal_and_one_start_says_so(
    half_made: Server, caplog: pytest.LogCaptureFixture, more: int, starts: int
) -> None:
    add_marks(half_made, *[0] * more)
    open_at_once(half_made, starts)
    assert said_in(caplog) == [
        f"the store at {address_of(half_made)} had {more + 1} SchemaVersion nodes, left by starts at once; repaired"
    ]
    check_whole(half_made)


@pytest.mark.parametrize("starts", [1, 8])
def test_a_mark_without_its_constraint_heals_and_one_start_says_so(
    half_made: Server, caplog: pytest.LogCaptureFixture, starts: int
) -> None:
    open_at_once(half_made, starts)
    assert said_in(caplog) == [
        f"the store at {address_of(half_made)} had 1 SchemaVersion node without its constraint; repaired"
    ]
    check_whole(half_made)


def test_nothing_is_healed_where_one_mark_is_of_a_newer_version(half_made: Server) -> None:
    add_marks(half_made, current_version() + 1)
    with pytest.raises(SchemaMismatch, match="newer neuromfa"):
        half_made.open()
    assert sorted(marks(half_made)) == [current_version(), current_version() + 1]


# who migrates


def pretend_migrating(server: Server, *, seconds: float) -> None:
    """Leave the store at version 0 with the lease of a process that is not of this test."""
    server.raw(
        "MATCH (v:SchemaVersion) SET v.version = 0, v.writer = 'other', v.lease = timestamp() + $ms",
        ms=int(seconds * 1000),
    )


def test_a_killed_migration_is_taken_over_once_its_lease_ran_out(half_made: Server) -> None:
    server = half_made
    server.open().close()
    server.raw("DROP INDEX neuron_name IF EXISTS")
    begun_at = time.monotonic()
    pretend_migrating(server, seconds=1.5)
    server.open().close()
    assert time.monotonic() - begun_at > 1.4
    check_whole(server)


def test_who_waits_for_a_migration_goes_on_when_it_is_done(store: GraphStore, server: Server) -> None:
    pretend_migrating(server, seconds=600)
    done = threading.Event()

    def finish() -> None:
        done.set()
        server.raw("MATCH (v:SchemaVersion) SET v.version = $v, v.lease = 0", v=current_version())

    timer = threading.Timer(1.0, finish)
    timer.start()
    server.open().close()  # the lease would run for longer than this test may
    assert done.is_set(), "it did not wait"
    timer.join()
    assert marks(server) == [current_version()]


def test_a_migration_longer_than_its_lease_is_done_by_one(
    store: GraphStore, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def slow(_: Connection) -> None:
        done.append(threading.get_ident())
        time.sleep(1.2 * lease_s)

    lease_s = 5.0  # renewed in good time even where the machine stands still for a while
    monkeypatch.setattr(schema, "REWORK", {current_version(): slow})
    server.raw("MATCH (v:SchemaVersion) SET v.version = $v", v=current_version() - 1)
    open_at_once(server, 3, limits=replace(QUICK, lease_s=lease_s))
    assert len(done) == 1
    assert marks(server) == [current_version()]


def test_a_migration_that_fails_lets_its_lease_go(store: GraphStore, server: Server) -> None:
    server.raw("DROP CONSTRAINT benchmark_task IF EXISTS")
    server.raw("CREATE (:Benchmark {task: 'twice'}), (:Benchmark {task: 'twice'})")
    server.raw("MATCH (v:SchemaVersion) SET v.version = 0")
    try:
        with pytest.raises(StoreError):
            server.open()
        assert server.raw("MATCH (v:SchemaVersion) RETURN v.version, v.lease") == [[0, 0]]
    finally:
        server.raw("MATCH (b:Benchmark {task: 'twice'}) DELETE b")
    server.open().close()
    check_whole(server)


def test_what_a_killed_writer_left_is_swept_once_by_starts_at_once(
    store: GraphStore, server: Server, model: str, fresh: str
) -> None:
    store.write_sample(model, 0, make_graph(fresh))
    server.raw("MATCH (s:Sample {id: $id}) SET s.status = 'loading', s.lease = 0", id=fresh)
    open_at_once(server, 8)
    assert server.raw("MATCH (s:Sample {id: $id}) RETURN count(s)", id=fresh) == [[0]]
