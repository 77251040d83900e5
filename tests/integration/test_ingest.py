"""Ingest, queue, worker and verification on both servers, with the bundled series."""

import os
import pickle
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from neuromfa.carry import each_carried
from neuromfa.errors import CheckpointMissing, JobError, NotStored, OptionError
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import JobQueue
from neuromfa.graph.units import GIVEN_UP, Units, units_of
from neuromfa.ingest.executors import InlineExecutor, open_executor
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.job_run import Tally
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.unit_task import Told
from neuromfa.ingest.verify import verify
from neuromfa.ingest.worker import ALIVE_BUSY_S, ALIVE_IDLE_S, enqueue, work
from neuromfa.options import AnalysisOptions
from tests.integration.conftest import Server, wait_for
from tests.requirements import missing

SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"
LEASE_MS = 8000  # renewed several times in it: a machine may stand still for seconds
OPTIONS = AnalysisOptions(samples=3, nodes=16, nulls=False)


@pytest.fixture
def request_of_own(store: GraphStore) -> Iterator[IngestRequest]:
    model = f"pipeline-{uuid.uuid4().hex[:8]}"
    yield IngestRequest(source=str(SERIES), steps="0,2000", model_id=model, options=OPTIONS)
    with suppress(NotStored):
        store.delete_model(model)


@pytest.fixture
def empty_queue(store: GraphStore, server: Server) -> JobQueue:
    server.raw("MATCH (n:Job|Unit) DETACH DELETE n")
    return JobQueue(store, lease_ms=LEASE_MS)


def test_the_same_ingest_twice_writes_nothing_twice(store: GraphStore, request_of_own: IngestRequest) -> None:
    told: list[Any] = []
    first = ingest(request_of_own, store, report=lambda *report: told.append(report))
    before = store.counts()
    second = ingest(request_of_own, store)
    assert (first.spectra_written, first.graphs_written, first.checkpoints) == (2, 2, 2)
    assert first.edges_written > 10_000
    assert second.nothing_new and store.counts() == before
    assert told[-1] == (2, 2, "step 2000")


def test_verify_finds_the_same_numbers_in_the_graph(store: GraphStore, request_of_own: IngestRequest) -> None:
    paper = replace(request_of_own, options=replace(OPTIONS, profile="paper"), steps="2000")
    ingest(replace(request_of_own, graph_samples=2), store)
    ingest(paper, store)
    found = list(verify(store, request_of_own.model_id or ""))
    assert {(c.profile, c.step) for c in found} == {("exact", 0), ("exact", 2000), ("paper", 2000)}
    assert len(found) == 5
    assert all(c.difference == 0 for c in found)


def test_verify_notices_a_changed_relationship(
    store: GraphStore, server: Server, request_of_own: IngestRequest
) -> None:
    ingest(replace(request_of_own, steps="0"), store)
    graph_hash = store.sample(request_of_own.model_id or "", 0, 0).graph_hash
    server.raw(
        "MATCH (s:Sample {id: $id}) MATCH (a:Neuron {sample: s.number, layer: 0, position: 0})-[r:FEEDS]->() "
        "WITH r LIMIT 1 SET r.distance = r.distance + 40.0 RETURN count(r)",
        id=graph_hash,
    )
    with pytest.raises(Exception, match="checksum|differ|changed"):
        list(verify(store, request_of_own.model_id or ""))
    server.raw("MATCH (s:Sample {id: $id}) SET s.status = 'loading', s.lease = 0", id=graph_hash)
    store.sweep()


def test_verify_says_what_is_missing(store: GraphStore, request_of_own: IngestRequest) -> None:
    with pytest.raises(NotStored, match="not in the store"):
        list(verify(store, "nobody"))
    ingest(replace(request_of_own, graph_samples=0, steps="0"), store)
    with pytest.raises(NotStored, match="graph-samples"):
        list(verify(store, request_of_own.model_id or ""))


def test_a_stopped_ingest_leaves_whole_checkpoints_and_goes_on(
    store: GraphStore, request_of_own: IngestRequest
) -> None:
    stopped = ingest(request_of_own, store, stop=lambda: True)
    assert stopped.stopped and stopped.checkpoints == 1
    assert store.result(request_of_own.model_id or "", 0).step == 0
    assert ingest(request_of_own, store).spectra_written == 1


def test_bad_input_leaves_nothing_behind(store: GraphStore) -> None:
    before = store.counts()
    for asked in (
        {"source": str(SERIES.parent / "nowhere")},
        {"source": str(SERIES), "steps": "5", "model_id": "bad"},
        {"source": str(SERIES), "model_id": "a--b"},
    ):
        with pytest.raises((CheckpointMissing, OptionError)):
            ingest(IngestRequest.from_json(asked), store)
    assert store.counts() == before


def test_a_job_runs_once_and_is_done(
    store: GraphStore, empty_queue: JobQueue, request_of_own: IngestRequest
) -> None:
    told: list[str] = []
    id = enqueue(store, replace(request_of_own, steps="0"))
    assert work(store, until_empty=True, tell=told.append) == 1
    job = empty_queue.job(id)
    assert (job.status, job.attempts, job.done, job.total) == ("done", 1, 1, 1)
    assert told == [f"job {id}: done step 0"] or told == [f"job {id}: done"]
    assert work(store, until_empty=True, tell=told.append) == 0


def test_a_worker_says_how_long_each_sign_of_life_is_good(
    store: GraphStore, empty_queue: JobQueue, request_of_own: IngestRequest
) -> None:
    beats: list[float] = []
    enqueue(store, request_of_own)
    work(store, until_empty=True, tell=lambda _: None, alive=beats.append)
    assert beats[0] == ALIVE_BUSY_S and beats[-1] == ALIVE_IDLE_S
    assert beats.count(ALIVE_BUSY_S) >= 3, "taken, and two checkpoints"


class Slow(InlineExecutor):
    """Tells when a unit is under way, and goes on with it when told."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.begun.set()
        assert self.go_on.wait(100)
        return super().submit(fn, *args, **kwargs)


def test_a_unit_longer_than_the_lease_keeps_its_job(
    store: GraphStore, server: Server, empty_queue: JobQueue, request_of_own: IngestRequest
) -> None:
    id, slow = enqueue(store, replace(request_of_own, steps="0")), Slow()
    ended: list[int] = []
    worker = threading.Thread(
        target=lambda: ended.append(
            work(store, executor=slow, until_empty=True, tell=lambda _: None, lease_ms=LEASE_MS)
        )
    )
    worker.start()
    assert slow.begun.wait(60)
    # the job itself is anybody's to end once the unit is done: what may not be taken is the unit
    thief = Units(store, "thief", lease_ms=LEASE_MS)
    [[first]] = server.raw("MATCH (u:Unit {job: $id}) RETURN u.lease", id=id)
    while server.raw("RETURN timestamp()")[0][0] < first + LEASE_MS / 4:
        assert thief.claim(id) is None
        time.sleep(0.1)
    slow.go_on.set()
    worker.join(100)
    job = empty_queue.job(id)
    assert (ended, job.status, job.attempts) == ([1], "done", 1)


def test_a_worker_that_lost_its_job_writes_nothing_more(
    store: GraphStore, server: Server, empty_queue: JobQueue, request_of_own: IngestRequest
) -> None:
    id, slow = enqueue(store, request_of_own), Slow()
    told: list[str] = []
    worker = threading.Thread(
        target=lambda: work(store, executor=slow, stop=lambda: bool(told), tell=told.append)
    )
    worker.start()
    assert slow.begun.wait(60)
    server.raw(
        "MATCH (u:Unit {job: $id}) SET u.worker = 'another', u.status = 'running', u.lease = timestamp() + 600000",
        id=id,
    )
    slow.go_on.set()
    worker.join(100)
    assert len(told) == 1 and f"unit {id}@0 was taken over by another worker" in told[0]
    assert list(store.each_checkpoint(request_of_own.model_id or "")) == []


def test_what_failed_of_a_job_is_tried_again(
    store: GraphStore, empty_queue: JobQueue, request_of_own: IngestRequest, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    for step in (0, 2000):
        shutil.copytree(SERIES / f"step{step}", run / f"step{step}")
    weights = run / "step2000" / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    id = enqueue(store, replace(request_of_own, source=str(run), steps="all"))
    assert work(store, until_empty=True, tell=lambda _: None) == 1
    job = empty_queue.job(id)
    assert (job.status, job.failed, job.message) == ("done", 1, "1 of 2 checkpoints failed")
    weights.write_bytes(whole)
    empty_queue.retry(id)
    assert work(store, until_empty=True, tell=lambda _: None) == 1
    job = empty_queue.job(id)
    assert (job.status, job.failed, job.done, job.total) == ("done", 0, 2, 2)
    attempts = {unit.step: (unit.attempts, unit.sentence) for unit in units_of(store, id).items}
    assert attempts == {0: (1, ""), 2000: (1, "")}, "counted from the start again"
    assert store.result(request_of_own.model_id or "", 2000).step == 2000


def test_a_job_that_cannot_be_done_says_why(store: GraphStore, empty_queue: JobQueue) -> None:
    job = empty_queue.enqueue(IngestRequest(source="/no/such/folder").as_json())
    work(store, until_empty=True, tell=lambda sentence: None)
    failed = empty_queue.job(job.id)
    assert failed.status == "failed" and "/no/such/folder" in failed.message
    with pytest.raises(CheckpointMissing):
        enqueue(store, IngestRequest(source="/no/such/folder"))


class Faulty(InlineExecutor):
    """Breaks in a way nobody foresaw."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise ZeroDivisionError("nobody foresaw this")


@pytest.mark.parametrize("store", ["embedded"], indirect=True)
def test_a_fault_of_the_program_ends_a_job_and_not_the_worker(
    store: GraphStore, empty_queue: JobQueue, request_of_own: IngestRequest
) -> None:
    ids = [enqueue(store, replace(request_of_own, steps=steps)) for steps in ("0", "2000")]
    assert work(store, executor=Faulty(), until_empty=True, tell=lambda _: None) == 2
    for id in ids:
        job, [unit] = empty_queue.job(id), units_of(store, id).items
        assert (job.status, job.message) == ("done", "1 of 1 checkpoints failed")
        assert unit.sentence == f"{GIVEN_UP}; the last one said: ZeroDivisionError: nobody foresaw this"


def test_two_workers_race_and_one_wins(store: GraphStore, server: Server, empty_queue: JobQueue) -> None:
    for _ in range(5):
        job = empty_queue.enqueue({})
        won: list[str] = []
        gate = threading.Barrier(4)

        def race(name: str, won: list[str] = won, gate: threading.Barrier = gate) -> None:
            with server.open(prepare=False) as own:
                gate.wait(30)
                if JobQueue(own).claim(name) is not None:
                    won.append(name)

        racers = [threading.Thread(target=race, args=(f"worker {k}",)) for k in range(4)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert len(won) == 1
        empty_queue.finish(job, won[0], "done")


def test_a_silent_worker_loses_its_job(store: GraphStore, empty_queue: JobQueue) -> None:
    empty_queue = JobQueue(store)
    job = empty_queue.enqueue({})
    first = empty_queue.claim("first")
    assert first is not None and empty_queue.claim("second") is None
    JobQueue(store, lease_ms=1).keep(job, "first")
    assert wait_for(lambda: empty_queue.waiting() != [])
    taken = empty_queue.claim("second")
    assert taken is not None and taken.id == job.id and taken.attempts == 2
    with pytest.raises(JobError, match="taken over"):
        empty_queue.report(job, "first", done=1, total=2, message="late")
    with pytest.raises(JobError, match="taken over"):
        empty_queue.finish(job, "first", "done")
    empty_queue.finish(job, "second", "done")


def test_cancelling(store: GraphStore, empty_queue: JobQueue, request_of_own: IngestRequest) -> None:
    waiting = empty_queue.enqueue({})
    assert empty_queue.cancel(waiting.id).status == "cancelled"
    running = JobQueue(store).enqueue(request_of_own.as_json())
    empty_queue.cancel(empty_queue.claim("somebody").id)  # type: ignore[union-attr]
    assert empty_queue.report(running, "somebody", done=0, total=2, message="").cancelling
    empty_queue.finish(running, "somebody", "cancelled")
    with pytest.raises(NotStored):
        empty_queue.cancel("nobody")


def test_a_stopping_worker_puts_its_job_back(
    store: GraphStore, empty_queue: JobQueue, request_of_own: IngestRequest
) -> None:
    id = enqueue(store, request_of_own)
    asked = iter([False, True])
    assert work(store, stop=lambda: next(asked, True), tell=lambda sentence: None) == 0
    assert empty_queue.job(id).status == "queued"
    assert empty_queue.cancel(id).status == "cancelled"


def test_jobs_are_paged_newest_first(empty_queue: JobQueue) -> None:
    made = [empty_queue.enqueue({"n": n}).id for n in range(3)]
    first = empty_queue.jobs(limit=2)
    second = empty_queue.jobs(limit=2, cursor=first.next)
    assert [job.id for job in (*first.items, *second.items)][:3] == made[::-1]
    for id in made:
        empty_queue.cancel(id)


def test_a_request_survives_the_queue() -> None:
    request = IngestRequest(
        source="a", architecture=Path("b.json"), graph_samples=None, options=replace(OPTIONS, profile="paper")
    )
    assert IngestRequest.from_json(request.as_json()) == request
    with pytest.raises(OptionError, match="another version"):
        IngestRequest.from_json({"source": "a", "unheard": 1})


@pytest.fixture
def writes_nothing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of all that comes back to this process, which writes no numbers and no graphs itself."""
    sizes: list[int] = []
    count = Tally.add

    def add(self: Tally, told: Told) -> None:
        sizes.append(len(pickle.dumps(told)))
        count(self, told)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the process that measures has to write")

    monkeypatch.setattr(Tally, "add", add)
    for name in ("write_sample", "write_result", "write_checkpoint"):
        monkeypatch.setattr(GraphStore, name, refuse)
    return sizes


def test_the_processes_that_measure_write(
    store: GraphStore, request_of_own: IngestRequest, writes_nothing: list[int]
) -> None:
    with open_executor(jobs=2) as pool:
        done = ingest(replace(request_of_own, graph_samples=2), store, executor=pool)
    assert (done.spectra_written, done.graphs_written, done.failed) == (2, 4, [])
    assert len(writes_nothing) == 2 and max(writes_nothing) < 1000
    graphs = [one for step in (0, 2000) for one in store.samples(request_of_own.model_id or "", step)]
    assert (
        sum(store.read_sample(one.model, one.step, one.seed).n_edges for one in graphs) == done.edges_written
    )


def test_a_dask_cluster_measures_and_writes(
    server: Server, request_of_own: IngestRequest, writes_nothing: list[int]
) -> None:
    try:
        from distributed import LocalCluster
    except ImportError:
        missing("dask", "two real worker processes measure the series")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        server.open() as store,
        open_executor(dask=cluster.scheduler_address) as executor,
    ):
        done = ingest(request_of_own, store, executor=executor)
    assert (done.spectra_written, done.graphs_written, done.failed) == (2, 2, [])
    assert max(writes_nothing) < 1000


@pytest.mark.slow
def test_a_dask_worker_killed_under_way_costs_nothing(tmp_path: Path) -> None:
    try:
        from distributed import LocalCluster
    except ImportError:
        missing("dask", "a real worker process is killed")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        open_executor(dask=cluster.scheduler_address) as executor,
    ):
        outcomes = each_carried(executor, partial(_killing_once, tmp_path), range(6))
        assert [(one.answer, one.error) for one in outcomes] == [(unit, None) for unit in range(6)]
    assert (tmp_path / "killed").exists()


def _killing_once(folder: Path, unit: int) -> int:
    """Return the unit; the process of the third one is killed when it is there for the first time."""
    mark = folder / "killed"
    if unit == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return unit


def test_executors_refuse_what_is_not_there() -> None:
    with pytest.raises(OptionError), open_executor(jobs=0):
        pass
