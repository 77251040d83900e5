"""Ingests whose processes are killed: what is stored afterwards is what an undisturbed ingest stores.

At moments drawn by a seed: one in every run of the tests, many in `make test-long`; a failure names the seed.
"""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import Job, JobQueue
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import work
from neuromfa.options import AnalysisOptions
from neuromfa.results import to_json
from tests.integration.conftest import Server

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "series" / "stdlib-14m"
OPTIONS = AnalysisOptions(samples=2, nodes=16, nulls=False)
LEASE_MS = 1500
TIMES = int(os.environ.get("NEUROMFA_TEST_LONG", "40"))
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, TIMES))]

WORKER = """
import json, os, sys
from pathlib import Path
from neuromfa.graph import Limits, open_store
from neuromfa.ingest.worker import work

where = json.loads(sys.argv[1])
with open_store(**where, limits=Limits(lease_s=1.0)) as store:
    print("ready", flush=True)
    work(store, until_empty=True, lease_ms=int(sys.argv[2]))
"""


@pytest.fixture
def asked(store: GraphStore) -> Iterator[IngestRequest]:
    """A request for three steps of a model of this test's own."""
    model = f"killed-{uuid.uuid4().hex[:8]}"
    yield IngestRequest(source=str(SERIES), steps="0,512,2000", model_id=model, options=OPTIONS)
    with suppress(NotStored):
        store.delete_model(model)


def stored(store: GraphStore, model: str) -> list[object]:
    """Return all that is stored of a model, each graph proved by its checksum."""
    found: list[object] = []
    for record in store.each_checkpoint(model):
        result = to_json(store.result(model, record.step))
        graphs = [one.graph_hash for one in store.samples(model, record.step)]
        edges = [store.read_sample(model, record.step, 0).n_edges]
        found.append((record.step, record.status, record.spectra, result, graphs, edges))
    return found


_UNDISTURBED: dict[str, list[object]] = {}


def stored_undisturbed(store: GraphStore, asked: IngestRequest) -> list[object]:
    """Return what an ingest stores that nobody disturbs, on any server and of any name: it is done once."""
    key = repr(replace(asked, model_id=None))
    if key not in _UNDISTURBED:
        ingest(asked, store)
        _UNDISTURBED[key] = stored(store, asked.model_id or "")
        store.delete_model(asked.model_id or "")
    return _UNDISTURBED[key]


@pytest.fixture
def undisturbed(store: GraphStore, asked: IngestRequest) -> list[object]:
    """What an ingest of the same stores that nobody disturbs."""
    return stored_undisturbed(store, asked)


@pytest.mark.parametrize("store", ["embedded"], indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_child_killed_at_any_moment(
    store: GraphStore, asked: IngestRequest, undisturbed: list[object], seed: int
) -> None:
    moments = random.Random(seed)
    done = threading.Event()

    def kill() -> None:
        while not (children := multiprocessing.active_children()) and not done.is_set():
            time.sleep(0.01)
        if not done.wait(moments.uniform(0.0, 4.0)):
            with suppress(ProcessLookupError):
                os.kill(int(moments.choice(children).pid or 0), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with open_executor(jobs=2) as pool:
        summary = ingest(asked, store, executor=pool)
    done.set()
    killer.join()
    assert summary.failed == [], seed
    assert stored(store, asked.model_id or "") == undisturbed, seed


@pytest.fixture
def worker(server: Server, queue: JobQueue, asked: IngestRequest) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own that has just begun, with a job in the queue."""
    queue.enqueue(asked.as_json())
    words = [sys.executable, "-c", WORKER, json.dumps(server.where, default=str), str(LEASE_MS)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.fixture
def queue(store: GraphStore, undisturbed: list[object]) -> JobQueue:  # noqa: ARG001  made before
    """An empty queue."""
    queue = JobQueue(store, lease_ms=LEASE_MS)
    while (left := queue.claim("sweeper")) is not None:
        queue.finish(left, "sweeper", "cancelled")
    return queue


def finished_by_another(store: GraphStore, queue: JobQueue) -> Job:
    """Work here until the newest job is over, and return it."""
    until = time.monotonic() + 150
    while (job := queue.jobs(limit=1).items[0]).is_open and time.monotonic() < until:
        work(store, until_empty=True, tell=lambda _: None, lease_ms=LEASE_MS)
        time.sleep(0.1)
    return job


def left_loading(server: Server) -> list[list[object]]:
    return server.raw("MATCH (s:Sample) WHERE s.status <> 'complete' RETURN s.id")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_worker_killed_at_any_moment(
    store: GraphStore,
    server: Server,
    asked: IngestRequest,
    undisturbed: list[object],
    queue: JobQueue,
    worker: subprocess.Popen[str],
    seed: int,
) -> None:
    time.sleep(random.Random(seed).uniform(0.0, 6.0))
    worker.kill()
    worker.wait()
    assert finished_by_another(store, queue).status == "done", seed
    store.sweep()
    assert stored(store, asked.model_id or "") == undisturbed, seed
    assert left_loading(server) == [], seed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_worker_that_stood_still_writes_nothing_after_it_lost_its_job(
    store: GraphStore,
    server: Server,
    asked: IngestRequest,
    undisturbed: list[object],
    queue: JobQueue,
    worker: subprocess.Popen[str],
    seed: int,
) -> None:
    time.sleep(random.Random(seed).uniform(0.2, 3.0))
    worker.send_signal(signal.SIGSTOP)
    assert finished_by_another(store, queue).status == "done", seed
    counts = store.counts()
    worker.send_signal(signal.SIGCONT)
    assert worker.wait(150) == 0, seed
    store.sweep()
    assert store.counts() == counts, seed
    assert stored(store, asked.model_id or "") == undisturbed, seed
    assert left_loading(server) == [], seed
