"""Units: one winner each, leases by the clock of the store, no write after a loss, many workers on a job."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neuromfa.errors import JobError, NotStored, StoreConflict
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import GONE, NOT_BEGUN, Job, JobQueue
from neuromfa.graph.units import GIVEN_UP, MOST_ATTEMPTS, UnitCounts, Units, units_of
from neuromfa.ingest import worker
from neuromfa.ingest.executors import InlineExecutor
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import enqueue, work
from neuromfa.options import AnalysisOptions
from tests.integration.conftest import Server

SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"
OPTIONS = AnalysisOptions(samples=2, nodes=8, nulls=False)
LONG_MS, SHORT_MS = 60_000, 200
STEPS = [(step, f"step{step}") for step in (0, 1, 2, 4, 8, 16)]


@pytest.fixture
def queue(store: GraphStore, server: Server) -> JobQueue:
    """An empty queue."""
    server.raw("MATCH (n:Job|Unit) DETACH DELETE n")
    return JobQueue(store, lease_ms=LONG_MS)


@pytest.fixture
def listed(queue: JobQueue) -> Job:
    """A job of six units."""
    queue.enqueue({"source": "a"})
    job = queue.claim("lister")
    assert job is not None
    return queue.list_units(job, "lister", model="m", checkpoints=STEPS)


@pytest.fixture
def asked(store: GraphStore) -> Iterator[IngestRequest]:
    model = f"units-{uuid.uuid4().hex[:8]}"
    yield IngestRequest(source=str(SERIES), steps="0,32,512,2000", model_id=model, options=OPTIONS)
    with suppress(NotStored):
        store.delete_model(model)


class Together:
    """Keeps those who work on a job until so many have a unit: however quick one is, it cannot do them all."""

    def __init__(self, parties: int) -> None:
        self._missing, self._all_here = parties, threading.Event()

    def one(self) -> InlineExecutor:
        """Return what one of them measures with."""
        return _Waiting(self)

    def come(self) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._all_here.set()
        assert self._all_here.wait(100), "the others did not come"


class _Waiting(InlineExecutor):
    def __init__(self, together: Together) -> None:
        self._together: Together | None = together

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        together, self._together = self._together, None
        if together is not None:
            together.come()
        return super().submit(fn, *args, **kwargs)


def units(store: GraphStore, worker: str, *, lease_ms: int = LONG_MS) -> Units:
    return Units(store, worker, lease_ms=lease_ms)


def test_units_are_made_once_and_by_whoever_holds_the_job(store: GraphStore, queue: JobQueue) -> None:
    queue.enqueue({})
    job = queue.claim("w1")
    assert job is not None and job.units is None
    with pytest.raises(JobError, match="another worker"):
        queue.list_units(job, "w2", model="m", checkpoints=STEPS)
    assert units_of(store, job.id).items == []
    for _ in range(2):
        now = queue.list_units(job, "w1", model="m", checkpoints=STEPS)
        assert (now.units, now.total, now.model) == (UnitCounts(queued=6), 6, "m")
    page = units_of(store, job.id, limit=4)
    assert [(one.id, one.step, one.revision, one.status) for one in page.items][-1] == (
        f"{job.id}@4",
        4,
        "step4",
        "queued",
    )
    assert [one.step for one in units_of(store, job.id, cursor=page.next).items] == [8, 16]


def test_of_many_claimers_one_gets_each_unit(store: GraphStore, server: Server, listed: Job) -> None:
    def take(k: int) -> list[str]:
        with server.open(prepare=False) as own:
            mine, found = units(own, f"w{k}"), []
            while unit := mine.claim(listed.id, held=found):
                found.append(unit.id)
            return found

    with ThreadPoolExecutor(8) as pool:
        won = Counter(id for part in pool.map(take, range(8)) for id in part)
    assert dict(won) == {f"{listed.id}@{step}": 1 for step, _ in STEPS}
    assert all(one.attempts == 1 for one in units_of(store, listed.id).items)


def test_a_silent_worker_loses_its_unit_and_writes_nothing_more(store: GraphStore, listed: Job) -> None:
    first, second = units(store, "w1", lease_ms=SHORT_MS), units(store, "w2")
    unit = first.claim(listed.id)
    assert unit is not None and (unit.step, unit.attempts, unit.worker) == (0, 1, "w1")
    time.sleep(2 * SHORT_MS / 1000)
    taken = second.claim(listed.id)
    assert taken is not None and (taken.id, taken.attempts, taken.worker) == (unit.id, 2, "w2")
    with pytest.raises(StoreConflict, match="another worker"), first.fenced(unit.id):
        store.write_model("late", source="a")
    with pytest.raises(NotStored):
        store.model("late")
    with pytest.raises(StoreConflict, match="another worker"):
        first.end(unit.id, "done")
    first.release([unit.id])
    assert first.keep([unit.id]) == frozenset()
    assert second.end(unit.id, "done", read_s=0.5, bytes_read=7).bytes_read == 7
    with second.fenced(f"{listed.id}@1"), pytest.raises(StoreConflict):
        store.write_model("never taken", source="a")
    store.write_model("later", source="the fence ends with its block")
    store.delete_model("later")


def test_one_statement_keeps_all_leases_of_a_worker(store: GraphStore, listed: Job) -> None:
    mine = units(store, "w1", lease_ms=SHORT_MS)
    held = [one.id for one in (mine.claim(listed.id), mine.claim(listed.id)) if one]
    assert units(store, "w1").keep([*held, f"{listed.id}@16"]) == frozenset(held)
    time.sleep(2 * SHORT_MS / 1000)
    other = units(store, "w2").claim(listed.id)
    assert other is not None and other.id not in held


@pytest.mark.parametrize("minutes", [-10, 10])
def test_no_clock_of_a_worker_takes_part(
    store: GraphStore, listed: Job, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    first = units(store, "w1").claim(listed.id)
    assert first is not None
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 60 * minutes)
    second = units(store, "w2").claim(listed.id)
    assert second is not None and second.id != first.id, "its lease holds"
    assert units(store, "w1").end(first.id, "done").status == "done"


def test_a_clock_of_the_store_that_jumps_costs_work_and_no_more(
    store: GraphStore, server: Server, listed: Job
) -> None:
    first = units(store, "w1")
    unit = first.claim(listed.id)
    assert unit is not None
    server.raw("MATCH (u:Unit {id: $id}) SET u.lease = u.lease - 600000", id=unit.id)
    second = units(store, "w2")
    taken = second.claim(listed.id)
    assert taken is not None and taken.id == unit.id
    with pytest.raises(StoreConflict), first.fenced(unit.id):
        store.write_model("both", source="a")
    with second.fenced(unit.id):
        store.write_model("both", source="a")
    store.delete_model("both")


def test_a_unit_that_ends_its_workers_is_given_up_and_says_so(
    store: GraphStore, queue: JobQueue, asked: IngestRequest
) -> None:
    id = enqueue(store, replace(asked, steps="0,512"))
    held = queue.claim("lister")
    assert held is not None
    store.claim_model(asked.model_id or "", source=str(SERIES), same_run=False)
    queue.list_units(held, "lister", model=asked.model_id or "", checkpoints=[(0, "step0"), (512, "step512")])
    for attempt in range(1, MOST_ATTEMPTS + 1):
        unit = units(store, f"w{attempt}", lease_ms=SHORT_MS).claim(id)
        assert unit is not None and (unit.step, unit.attempts) == (0, attempt)
        time.sleep(2 * SHORT_MS / 1000)
    assert work(store, until_empty=True, tell=lambda _: None) == 1
    assert queue.job(id).units == UnitCounts(done=1, failed=1)
    [failed] = units_of(store, id, status="failed").items
    assert (failed.step, failed.sentence) == (0, GIVEN_UP)
    assert [one.sentence for one in store.failures(asked.model_id or "")] == [GIVEN_UP]


def test_an_open_job_of_an_earlier_version_goes_on(
    store: GraphStore, server: Server, queue: JobQueue, asked: IngestRequest
) -> None:
    for status in ("queued", "running"):
        id = enqueue(store, replace(asked, steps="0"))
        server.raw(
            "MATCH (j:Job {id: $id}) REMOVE j.listed, j.in_place "
            "SET j.status = $status, j.worker = 'old', j.lease = 1, j.attempts = 1",
            id=id,
            status=status,
        )
        assert queue.job(id).units is None
        assert work(store, until_empty=True, tell=lambda _: None) == 1
        assert queue.job(id).units == UnitCounts(done=1)


def test_what_is_put_back_counts_an_attempt_only_with_a_reason(store: GraphStore, listed: Job) -> None:
    mine = units(store, "w1")
    for sentence, attempts in (("", 0), ("no disk", 1)):
        unit = mine.claim(listed.id)
        assert unit is not None
        mine.release([unit.id], sentence=sentence)
        [first, *_] = units_of(store, listed.id).items
        assert (first.status, first.attempts, first.sentence) == ("queued", attempts, sentence)


def test_a_job_is_held_again_only_once_no_unit_is_open(
    store: GraphStore, queue: JobQueue, listed: Job
) -> None:
    mine = units(store, "w1")
    assert queue.take(listed.id, "w1") is None
    while unit := mine.claim(listed.id):
        mine.end(unit.id, "failed" if unit.step == 4 else "done")
    held = queue.take(listed.id, "w1")
    assert held is not None and held.units == UnitCounts(done=5, failed=1)
    assert queue.take(listed.id, "w2") is None
    assert queue.finish(held, "w1", "done", failed=1).attempts == 1
    again = queue.retry(listed.id)
    assert again.units == UnitCounts(queued=1, done=5)
    retried = mine.claim(listed.id)
    assert retried is not None and (retried.step, retried.attempts) == (4, 1)


def test_cancelling_leaves_out_what_has_not_begun(store: GraphStore, queue: JobQueue, listed: Job) -> None:
    mine = units(store, "w1")
    unit = mine.claim(listed.id)
    assert unit is not None
    asked = queue.cancel(listed.id)
    assert (asked.status, asked.cancelling) == ("running", True)
    assert units(store, "w2").claim(listed.id) is None
    assert queue.take(listed.id, "w2") is None, "somebody works on a unit"
    mine.end(unit.id, "done")
    held = queue.take(listed.id, "w2")
    assert held is not None
    ended = queue.finish(held, "w2", "cancelled")
    assert ended.units == UnitCounts(done=1, skipped=5)
    assert {one.sentence for one in units_of(store, listed.id, status="skipped").items} == {NOT_BEGUN}
    assert queue.retry(listed.id).units == UnitCounts(queued=5, done=1)


def test_a_job_nobody_works_on_is_cancelled_at_once(queue: JobQueue, listed: Job) -> None:
    ended = queue.cancel(listed.id)
    assert (ended.status, ended.units) == ("cancelled", UnitCounts(skipped=6))


def test_many_workers_share_a_job_and_one_ends_it(
    store: GraphStore,
    server: Server,
    queue: JobQueue,
    asked: IngestRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    id, together = enqueue(store, asked), Together(2)
    told: list[str] = []

    def share(_: int) -> int:
        with server.open(prepare=False) as own:
            return work(own, executor=together.one(), stop=lambda: bool(told), tell=told.append)

    monkeypatch.setattr(worker, "IDLE_S", 0.1)
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(share, range(3)))
    assert (sorted(ended), told) == ([0, 0, 1], [f"job {id}: done"])
    job, found = queue.job(id), units_of(store, id).items
    assert (job.status, job.units, job.model) == ("done", UnitCounts(done=4), asked.model_id)
    assert len({one.worker for one in found}) > 1
    assert all(one.attempts == 1 and one.bytes_read > 0 for one in found)
    assert all(min(one.read_s, one.measure_s, one.write_s) > 0 for one in found)
    assert ingest(asked, store).nothing_new


def test_an_ingest_is_a_job_run_in_place(store: GraphStore, queue: JobQueue, asked: IngestRequest) -> None:
    ingest(asked, store)
    [job] = queue.jobs().items
    assert (job.status, job.in_place, job.units) == ("done", True, UnitCounts(done=4))
    assert job.request == asked.as_json()
    stopped = ingest(replace(asked, rehash=True), store, stop=lambda: True)
    assert stopped.stopped
    job = queue.jobs().items[0]
    assert (job.status, job.units) == ("cancelled", UnitCounts(done=1, skipped=3))


def test_a_job_in_place_is_for_no_worker_and_abandoned_with_its_command(
    store: GraphStore, queue: JobQueue, asked: IngestRequest
) -> None:
    job, new = queue.put(asked.as_json(), in_place="somewhere:1:a")
    assert new and (job.status, job.in_place) == ("running", True)
    assert queue.waiting() == []
    with pytest.raises(JobError, match="cannot be tried again"):
        JobQueue(store).put(asked.as_json())  # the same one
        queue.keep(job, "somewhere:1:a")
        queue.retry(job.id)
    JobQueue(store, lease_ms=SHORT_MS).keep(job, "somewhere:1:a")
    time.sleep(2 * SHORT_MS / 1000)
    assert work(store, until_empty=True, tell=lambda _: None) == 0
    gone = queue.job(job.id)
    assert (gone.status, gone.message) == ("failed", GONE)
    again = queue.retry(job.id)
    assert (again.status, again.in_place) == ("queued", False)
    assert work(store, until_empty=True, tell=lambda _: None) == 1
    assert queue.job(job.id).units == UnitCounts(done=4)


def test_two_ingests_at_once_share_the_checkpoints(
    store: GraphStore, server: Server, queue: JobQueue, asked: IngestRequest
) -> None:
    together = Together(2)

    def run(_: int) -> tuple[int, int, int]:
        with server.open(prepare=False) as own:
            done = ingest(asked, own, executor=together.one())
            return done.checkpoints, done.total, done.spectra_written

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))
    assert first[:2] == second[:2] == (4, 4)
    assert first[2] + second[2] == 4 and min(first[2], second[2]) > 0
    [job] = queue.jobs().items
    assert job.status == "done"


def test_strict_ends_a_job_at_its_first_failure(
    store: GraphStore, queue: JobQueue, asked: IngestRequest, tmp_path: Path
) -> None:
    for step in (0, 1, 2):
        folder = tmp_path / f"step{step}"
        folder.mkdir()
        for name in ("config.json", "model.safetensors"):
            data = (SERIES / "step0" / name).read_bytes()
            (folder / name).write_bytes(data[:1000] if (step, name[0]) == (1, "m") else data)
    strict = replace(asked, source=str(tmp_path), steps="all", strict=True)
    id = enqueue(store, strict)
    work(store, until_empty=True, tell=lambda _: None)
    job = queue.job(id)
    assert (job.status, job.units) == ("failed", UnitCounts(done=1, failed=1, skipped=1))
    assert job.message == units_of(store, id, status="failed").items[0].sentence
    with pytest.raises(Exception, match=r"model\.safetensors"):
        ingest(strict, store)
