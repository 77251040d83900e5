"""Faults at every boundary of a unit and around it, on both servers: what is stored is what nobody disturbed.

One instance of each in every run of the tests, the rest in `make test-long`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neuromfa.errors import NotStored, StoreError
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.graph.units import UnitCounts, units_of
from neuromfa.ingest import worker as ingest_worker
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import enqueue, work
from neuromfa.options import AnalysisOptions
from tests import made_series
from tests.integration.conftest import SERVERS, Server, new_server, wait_for
from tests.integration.test_killed import left_loading, stored, stored_undisturbed
from tests.integration.test_store_errors import silent_proxy
from tests.requirements import missing

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "series" / "stdlib-14m"
OPTIONS = AnalysisOptions(samples=2, nodes=16, nulls=False)
LEASE_MS = 1500
SMALL_MB, LEFT_BYTES = {"embedded": 400, "neo4j": 1500}, 6_000_000
long = pytest.mark.long

BOUNDARIES = {
    "listed": ("neuromfa.graph.job_queue", "JobQueue", "list_units", "after"),
    "claimed": ("neuromfa.graph.units", "Units", "claim", "given"),
    "measured": ("neuromfa.graph.store", "GraphStore", "write_checkpoint", "before"),
    "checkpoint": ("neuromfa.graph.store", "GraphStore", "write_checkpoint", "after"),
    "result": ("neuromfa.graph.store", "GraphStore", "write_result", "after"),
    "graph": ("neuromfa.graph.sample_io", None, "_write_chunk", "after"),
    "shown": ("neuromfa.graph.store", "GraphStore", "write_sample", "after"),
    "seen": ("neuromfa.graph.store", "GraphStore", "write_seen", "after"),
    "unit ended": ("neuromfa.graph.units", "Units", "end", "after"),
    "compared": ("neuromfa.graph.store", "GraphStore", "compare_steps", "after"),
    "ended": ("neuromfa.graph.job_queue", "JobQueue", "finish", "before"),
}
"""Where a worker is killed: module, class, function, and when: before it, after it, or once it gives something."""

WORKER = """
import importlib, json, os, resource, signal, sys
from dataclasses import replace
from neuromfa.analysis import analyze_checkpoint
from neuromfa.graph import Limits, open_store
from neuromfa.ingest import unit_task, worker
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import work

where, lease_ms, boundary, in_place = (json.loads(word) for word in sys.argv[1:])

def kill(function, moment):
    def run(*args, **kwargs):
        if moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = function(*args, **kwargs)
        if moment == "after" or answer is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    return run

def wait(function):
    def run(*args, **kwargs):
        answer = function(*args, **kwargs)
        if not waited:
            waited.append(True)
            print("here", flush=True)
            sys.stdin.readline()
        return answer
    return run

def measure_in_little_memory(checkpoint, options, *args, **kwargs):
    # what is loaded at its first use is loaded before memory is short
    analyze_checkpoint(checkpoint, replace(options, nodes=8), None)
    pages = int(open("/proc/self/statm").read().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 1_000_000, limits[1]))
    try:
        return analyze_checkpoint(checkpoint, options, *args, **kwargs)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)

if boundary == "memory":
    unit_task.analyze_checkpoint = measure_in_little_memory
elif boundary:
    module, owner, name, moment = boundary
    place = importlib.import_module(module)
    place = getattr(place, owner) if owner else place
    whole, waited = getattr(place, name), []
    setattr(place, name, wait(whole) if moment == "waits" else kill(whole, moment))
worker.IDLE_S, worker.AWAY_S = 0.1, 0.5
with open_store(**where, limits=Limits(lease_s=1.0, retry_s=2.0)) as store:
    print("ready", flush=True)
    if in_place:
        ingest(IngestRequest.from_json(in_place), store, lease_ms=lease_ms)
    else:
        work(store, until_empty=True, lease_ms=lease_ms)
"""


@contextmanager
def worker(
    server: Server, boundary: Any = None, *, lease_ms: int = LEASE_MS, in_place: Any = None
) -> Iterator[subprocess.Popen[str]]:
    """A worker, or the command that runs one job in place, in a process of its own that has just begun."""
    told = [json.dumps(word, default=str) for word in (server.where, lease_ms, boundary, in_place)]
    words = [sys.executable, "-c", WORKER, *told]
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.fixture(autouse=True)
def brief_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that finds nothing to do, or no store, looks again soon."""
    monkeypatch.setattr(ingest_worker, "IDLE_S", 0.1)
    monkeypatch.setattr(ingest_worker, "AWAY_S", 0.5)


@pytest.fixture
def asked(store: GraphStore, server: Server) -> Iterator[IngestRequest]:
    """A request for three steps of a model of this test's own, and an empty queue."""
    server.raw("MATCH (n:Job|Unit) DETACH DELETE n")
    model = f"faults-{uuid.uuid4().hex[:8]}"
    yield IngestRequest(source=str(SERIES), steps="0,512,2000", model_id=model, options=OPTIONS)
    with suppress(NotStored):
        store.delete_model(model)


def finished(store: GraphStore, id: str) -> Job:
    """Work here until a job is over, and return it."""
    queue = JobQueue(store, lease_ms=LEASE_MS)

    def is_over() -> bool:
        work(store, until_empty=True, tell=lambda _: None, lease_ms=LEASE_MS)
        return not queue.job(id).is_open

    assert wait_for(is_over, seconds=150)
    return queue.job(id)


def whole(store: GraphStore, server: Server, asked: IngestRequest, job: Job, expected: list[object]) -> bool:
    """Tell whether a job ended well: the undisturbed checksums, nothing doubled, nothing half written."""
    store.sweep()
    assert (job.status, job.units) == ("done", UnitCounts(done=3)), job
    assert stored(store, asked.model_id or "") == expected
    assert left_loading(server) == []
    return True


@pytest.mark.parametrize(
    "boundary", [name if name == "graph" else pytest.param(name, marks=long) for name in BOUNDARIES]
)
def test_a_worker_killed_at_a_boundary(
    store: GraphStore, server: Server, asked: IngestRequest, boundary: str
) -> None:
    expected = stored_undisturbed(store, asked)
    id = enqueue(store, asked)
    with worker(server, BOUNDARIES[boundary]) as process:
        assert process.wait(150) == -signal.SIGKILL, boundary
    assert whole(store, server, asked, finished(store, id), expected)
    attempts = sum(unit.attempts for unit in units_of(store, id).items)
    assert attempts == (3 if boundary in ("listed", "unit ended", "compared", "ended") else 4)


def test_a_command_given_again_goes_on_at_once_where_it_was_killed(
    store: GraphStore, server: Server, asked: IngestRequest
) -> None:
    expected = stored_undisturbed(store, asked)
    server.raw("MATCH (n:Job|Unit) DETACH DELETE n")
    with worker(server, BOUNDARIES["graph"], lease_ms=3_600_000, in_place=asked.as_json()) as process:
        assert process.wait(150) == -signal.SIGKILL
    [killed] = JobQueue(store).jobs().items
    assert (killed.status, killed.in_place) == ("running", True)
    done = ingest(asked, store)
    assert (done.checkpoints, done.failed) == (3, [])
    [job] = JobQueue(store).jobs().items
    assert job.id == killed.id and whole(store, server, asked, job, expected)


@pytest.fixture(params=SERVERS)
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server that may be killed."""
    with new_server(request.param, tmp_path / "own") as server:
        yield server


def kill_and_start(server: Server, store: GraphStore) -> None:
    """Kill the server at once; start it again, unless its users do."""
    if server.neo4j is not None:
        server.neo4j.kill()
        server.neo4j.start()
    else:
        assert store._embedded is not None
        os.kill(store._embedded.open().pid, signal.SIGKILL)


def test_the_database_killed_during_a_load(own: Server, series: IngestRequest) -> None:
    with own.open() as store:
        expected = stored_undisturbed(store, series)
        id = enqueue(store, series)
        with worker(own, [*BOUNDARIES["graph"][:3], "waits"]) as process:
            assert process.stdin is not None and process.stdout is not None
            assert process.stdout.readline() == "here\n" and left_loading(own)
            kill_and_start(own, store)
            process.stdin.write("go on\n")
            process.stdin.flush()
            queue = JobQueue(store)

            def is_over() -> bool:
                with suppress(StoreError):
                    return not queue.job(id).is_open
                return False

            wait_for(is_over, seconds=120)
        assert whole(store, own, series, finished(store, id), expected)


@pytest.fixture
def series() -> IngestRequest:
    """A request for three steps."""
    return IngestRequest(source=str(SERIES), steps="0,512,2000", model_id="faults", options=OPTIONS)


def test_a_dask_worker_killed_under_way(store: GraphStore, server: Server, asked: IngestRequest) -> None:
    try:
        from distributed import LocalCluster
    except ImportError:
        missing("dask", "a real worker process is killed")
    expected = stored_undisturbed(store, asked)
    id = enqueue(store, asked)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        open_executor(dask=cluster.scheduler_address) as executor,
        Killing(cluster, lambda: bool(server.raw("MATCH (u:Unit {status: 'running'}) RETURN u.id"))),
    ):
        work(store, executor=executor, until_empty=True, tell=lambda _: None, lease_ms=LEASE_MS)
    assert whole(store, server, asked, finished(store, id), expected)


class Killing:
    """Kills a process of a cluster once something holds."""

    def __init__(self, cluster: Any, holds: Callable[[], bool]) -> None:
        import threading

        self._pids = [one.pid for one in cluster.workers.values()]
        self._holds, self._thread = holds, threading.Thread(target=self._run)
        self._killed = threading.Event()

    def _run(self) -> None:
        if wait_for(self._holds):
            os.kill(self._pids[0], signal.SIGKILL)
            self._killed.set()

    def __enter__(self) -> "Killing":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        assert self._killed.is_set()


def test_a_worker_without_enough_memory_says_so(
    store: GraphStore, server: Server, asked: IngestRequest, tmp_path: Path
) -> None:
    for step in (0, 100, 200):
        made_series.write(tmp_path / f"step{step}", made_series.tensors(step / 300, hidden=384))
    whole_network = replace(OPTIONS, nodes=None, baseline="none", shape=False)
    asked = replace(asked, source=str(tmp_path), steps="all", options=whole_network, graph_samples=0)
    ingest(asked, store)
    expected = [store.result(asked.model_id or "", step).analysis_hash for step in (0, 100, 200)]
    store.delete_model(asked.model_id or "")
    id = enqueue(store, asked)
    with worker(server, "memory") as process:
        assert process.wait(150) == 0
    job = JobQueue(store).job(id)
    assert (job.status, job.units) == ("done", UnitCounts(failed=3))
    for unit in units_of(store, id).items:
        assert "MemoryError" in unit.sentence or "llocate" in unit.sentence, unit
    JobQueue(store).retry(id)
    assert finished(store, id).units == UnitCounts(done=3)
    found = [store.result(asked.model_id or "", step).analysis_hash for step in (0, 100, 200)]
    assert found == expected and left_loading(server) == []


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    made = subprocess.run(words, capture_output=True, check=False)
    if made.returncode:
        missing("mount", "mounting a small disk is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_full_disk_is_named_and_outlived(tmp_path: Path, kind: str, series: IngestRequest) -> None:
    larger = replace(series, steps="0,2000", options=replace(OPTIONS, nodes=48))
    with small_disk(tmp_path / "disk", SMALL_MB[kind]) as disk, new_server(kind, disk / "own") as server:
        with server.open() as store:
            fill = disk / "fill"
            with fill.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - LEFT_BYTES)
            id = enqueue(store, larger)
            told: list[str] = []
            with suppress(StoreError):
                work(store, until_empty=True, tell=told.append, stop=lambda: bool(told), lease_ms=LEASE_MS)
            assert any("disk of the store" in sentence and "full" in sentence for sentence in told), told
            fill.unlink()
            if server.neo4j is not None:
                server.neo4j.kill()
                server.neo4j.start()
        with server.open() as store:
            job = finished(store, id)
            if job.units is None or job.units.failed:  # the disk was full for longer than units are tried
                JobQueue(store).retry(id)
                job = finished(store, id)
            assert job.units == UnitCounts(done=2), (job, units_of(store, id).items)
            store.sweep()
            assert left_loading(server) == []
            found = stored(store, "faults")
            store.delete_model("faults")
            assert found == stored_undisturbed(store, larger)


@pytest.mark.parametrize("hanging", ["idle", "busy"])
def test_a_store_that_hangs_does_not_keep_a_worker_from_ending(
    server: Server, store: GraphStore, asked: IngestRequest, hanging: str
) -> None:
    access = store.write_access
    port = int(access.uri.rsplit(":", 1)[1])
    if hanging == "busy":
        enqueue(store, replace(asked, options=replace(OPTIONS, nodes=64)))
    with silent_proxy(port) as proxy:
        settings = {
            "NEUROMFA_NEO4J_URI": f"bolt://127.0.0.1:{proxy.port}",
            "NEUROMFA_NEO4J_USER": access.user,
            "NEUROMFA_NEO4J_PASSWORD": access.password,
            "NEUROMFA_NEO4J_DATABASE": access.database or "",
        }
        words = [sys.executable, "-m", "neuromfa", "worker"]
        with subprocess.Popen(
            words, cwd=ROOT, env=os.environ | settings, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None and "waiting for jobs" in process.stderr.readline()
            if hanging == "busy":
                assert wait_for(lambda: bool(left_loading(server)), seconds=120)
            proxy.silent.set()
            time.sleep(1.0)
            begun = time.monotonic()
            process.terminate()
            process.wait(150)
            assert time.monotonic() - begun < 30, "it waited for as long as a query may take"
    store.sweep()
