"""The queue of jobs: one winner, leases by the server's clock, nothing lost when workers die."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from neuromfa.errors import JobError, NotStored
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import MOST_ATTEMPTS, JobQueue
from tests.integration.conftest import Server


@pytest.fixture
def queue(store: GraphStore, server: Server) -> JobQueue:
    """An empty queue."""
    server.raw("MATCH (j:Job) DETACH DELETE j")
    return JobQueue(store)


@pytest.fixture
def hasty(queue: JobQueue, store: GraphStore) -> JobQueue:
    """The same queue with a lease that soon runs out."""
    return JobQueue(store, lease_ms=200)


def test_a_job_from_start_to_end(queue: JobQueue) -> None:
    request = {"source": "runs/größe", "none": None}
    job = queue.enqueue(request)
    assert (job.status, job.request, job.attempts) == ("queued", request, 0)
    taken = queue.claim("w1")
    assert taken is not None
    assert (taken.id, taken.status, taken.attempts) == (job.id, "running", 1)
    assert queue.claim("w2") is None
    seen = queue.report(taken, "w1", done=3, total=10, message="step 512")
    assert (seen.done, seen.total, seen.message, seen.cancelling) == (3, 10, "step 512", False)
    ended = queue.finish(taken, "w1", "done", message="wrote 10")
    assert (ended.status, ended.message, ended.is_open) == ("done", "wrote 10", False)
    assert ended.created <= ended.updated
    assert queue.job(job.id) == ended
    assert queue.claim("w1") is None


def test_jobs_come_in_the_order_they_were_put_in(queue: JobQueue) -> None:
    ids = [queue.enqueue({"n": n}).id for n in range(5)]
    page = queue.jobs(limit=2)
    assert [job.id for job in page.items] == ids[:2:-1]
    assert [job.id for job in queue.jobs(limit=10, cursor=page.next).items] == ids[2::-1]
    taken = [queue.claim("w") for _ in range(5)]
    assert [job.id for job in taken if job] == ids
    assert [job.id for job in queue.jobs(status="running").items] == ids[::-1]


def test_of_many_workers_one_wins(queue: JobQueue, server: Server) -> None:
    ids = [queue.enqueue({"n": n}).id for n in range(6)]

    def work(k: int) -> list[str]:
        with server.open(prepare=False) as own:
            mine, found = JobQueue(own), []
            while job := mine.claim(f"w{k}"):
                found.append(job.id)
            return found

    with ThreadPoolExecutor(4) as pool:
        won = [identity for part in pool.map(work, range(4)) for identity in part]
    assert sorted(won) == sorted(ids)


def test_a_silent_worker_loses_its_job(queue: JobQueue, hasty: JobQueue) -> None:
    queue.enqueue({})
    first = hasty.claim("w1")
    assert first is not None
    time.sleep(0.3)
    second = queue.claim("w2")
    assert second is not None
    assert (second.id, second.attempts) == (first.id, 2)
    for late in (
        lambda: queue.report(first, "w1", done=1, total=2, message=""),
        lambda: queue.finish(first, "w1", "done"),
        lambda: queue.release(first, "w1"),
    ):
        with pytest.raises(JobError, match="another worker"):
            late()
    assert queue.finish(second, "w2", "done").status == "done"


def test_a_renewed_lease_is_kept(queue: JobQueue, hasty: JobQueue) -> None:
    queue.enqueue({})
    job = hasty.claim("w1")
    assert job is not None
    queue.report(job, "w1", done=1, total=4, message="")
    time.sleep(0.3)
    assert queue.claim("w2") is None


def test_a_job_that_ends_its_workers_is_given_up(queue: JobQueue, hasty: JobQueue) -> None:
    queue.enqueue({})
    for attempt in range(1, MOST_ATTEMPTS + 1):
        job = hasty.claim(f"w{attempt}")
        assert job is not None
        assert job.attempts == attempt
        time.sleep(0.3)
    assert queue.claim("w") is None
    [job] = queue.jobs().items
    assert job.status == "failed"
    assert "given up" in job.message


def test_a_job_put_back_is_taken_again(queue: JobQueue) -> None:
    queue.enqueue({})
    job = queue.claim("w1")
    assert job is not None
    assert queue.release(job, "w1").status == "queued"
    again = queue.claim("w2")
    assert again is not None
    assert (again.id, again.attempts) == (job.id, 1)


def test_cancelling(queue: JobQueue) -> None:
    waiting = queue.enqueue({})
    assert queue.cancel(waiting.id).status == "cancelled"
    assert queue.claim("w") is None
    queue.enqueue({})
    running = queue.claim("w")
    assert running is not None
    asked = queue.cancel(running.id)
    assert (asked.status, asked.cancelling) == ("running", True)
    assert queue.report(running, "w", done=0, total=1, message="").cancelling
    assert queue.finish(running, "w", "cancelled").status == "cancelled"
    assert queue.cancel(running.id).status == "cancelled"
    for unknown in ("nothing", "'}) DETACH DELETE (n) //"):
        with pytest.raises(NotStored, match="no job"):
            queue.cancel(unknown)
        with pytest.raises(NotStored, match="no job"):
            queue.job(unknown)


def test_the_same_request_is_one_job_while_it_is_open(queue: JobQueue, server: Server) -> None:
    first, new = queue.put({"source": "a", "priority": 1})
    assert new
    assert queue.put({"priority": 5, "source": "a"}) == (first, False), "however urgent it is"
    assert queue.put({"source": "b"})[1]
    taken = queue.claim("w")
    assert taken is not None and taken.id == first.id
    assert queue.put({"source": "a"}) == (queue.job(first.id), False)
    queue.finish(taken, "w", "done")
    assert queue.put({"source": "a"})[1], "over: it may be asked again"

    def ask(k: int) -> str:
        with server.open(prepare=False) as own:
            return JobQueue(own).enqueue({"source": "at once"}).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_a_job_that_is_asked_to_stop_is_not_joined(queue: JobQueue) -> None:
    first = queue.enqueue({"source": "a"})
    queue.claim("w")
    queue.cancel(first.id)
    assert queue.put({"source": "a"})[1]


def test_urgent_jobs_are_taken_first(queue: JobQueue, server: Server) -> None:
    ids = {p: queue.enqueue({"n": n, "priority": p}).id for n, p in enumerate((0, -5, 7, 3))}
    old = queue.enqueue({"n": "old"}).id
    server.raw("MATCH (j:Job {id: $id}) REMOVE j.priority, j.failed RETURN j.id", id=old)
    taken = [queue.claim("w") for _ in range(5)]
    assert [job.id for job in taken if job] == [ids[7], ids[3], ids[0], old, ids[-5]]
    assert [job.priority for job in taken if job] == [7, 3, 0, 0, -5]


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_a_job_that_ended_early_is_queued_again_as_it_was(queue: JobQueue, ending: str) -> None:
    request = {"source": "a"}
    job = queue.enqueue(request)
    assert queue.claim("w1") is not None
    queue.report(job, "w1", done=1, total=2, message="")
    queue.cancel(job.id)
    queue.finish(job, "w1", ending, message="ended")  # type: ignore[arg-type]
    later = queue.enqueue({"source": "b"})
    again = queue.retry(job.id)
    assert (again.id, again.status, again.request) == (job.id, "queued", request)
    assert (again.done, again.total, again.attempts, again.message, again.cancelling) == (0, 0, 0, "", False)
    taken = [queue.claim("w2"), queue.claim("w2")]
    assert [one.id for one in taken if one] == [later.id, job.id], "behind those that wait"


def test_of_a_job_that_is_done_what_failed_is_tried_again(queue: JobQueue) -> None:
    job = queue.enqueue({"source": "a"})
    assert queue.claim("w") is not None
    assert queue.finish(job, "w", "done", failed=2).failed == 2
    again = queue.retry(job.id)
    assert (again.request, again.failed) == ({"source": "a", "retry_failed": True}, 0)
    assert queue.claim("w") is not None
    queue.finish(job, "w", "done")
    with pytest.raises(JobError, match="none of its checkpoints failed"):
        queue.retry(job.id)


def test_what_is_open_is_not_tried_again(queue: JobQueue) -> None:
    job = queue.enqueue({"source": "a"})
    with pytest.raises(JobError, match="is queued"):
        queue.retry(job.id)
    queue.cancel(job.id)
    other = queue.enqueue({"source": "a"})
    with pytest.raises(JobError, match=f"job {other.id} does that and is queued"):
        queue.retry(job.id)
    with pytest.raises(NotStored):
        queue.retry("nothing")
