"""`neuromfa jobs` on a store with jobs in it: listed, shown, followed to the end, cancelled, tried again."""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuromfa.app.cli import jobs as command
from neuromfa.app.cli.main import main
from neuromfa.graph import GraphStore, open_store
from neuromfa.graph.job_queue import Job, JobQueue, Status
from neuromfa.graph.units import Units

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture
def own(folder: Path) -> Iterator[GraphStore]:
    """A store of this module's own, held open so that its server is started once."""
    with open_store(data_dir=folder) as store:
        yield store


@pytest.fixture
def job(own: GraphStore) -> Job:
    queue = JobQueue(own)
    for one in (*queue.jobs(status="queued").items, *queue.jobs(status="running").items):
        queue.cancel(one.id)
    return queue.enqueue({"source": "runs/a", "steps": "all", "priority": 2})


def neuromfa(capsys: Capture, monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[int, str, str]:
    """Return exit code, output and messages."""
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    return int(stopped.value.code or 0), told.out, told.err


def test_jobs_are_listed_shown_cancelled_and_tried_again(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, own: GraphStore, job: Job
) -> None:
    end = ("--data-dir", folder)
    _, table, _ = neuromfa(capsys, monkeypatch, "jobs", *end)
    assert job.id[:8] in table and "runs/a" in table and "queued" in table
    _, text, _ = neuromfa(capsys, monkeypatch, "jobs", "list", "--status", "queued", "--json", *end)
    [listed] = json.loads(text)
    assert (listed["id"], listed["priority"], listed["request"]["source"]) == (job.id, 2, "runs/a")
    _, shown, _ = neuromfa(capsys, monkeypatch, "jobs", "show", job.id[:10], *end)
    assert shown.startswith(f"job {job.id}: queued, 0 of ? checkpoints") and "source: runs/a" in shown
    for deed, status in (("cancel", "cancelled"), ("retry", "queued")):
        _, text, _ = neuromfa(capsys, monkeypatch, "jobs", deed, job.id, "--json", *end)
        assert json.loads(text)["status"] == status == JobQueue(own).job(job.id).status
    code, _, told = neuromfa(capsys, monkeypatch, "jobs", "retry", job.id, *end)
    assert code == 1 and "cannot be tried again" in told


def test_units_are_shown_with_their_sentences(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, own: GraphStore, job: Job
) -> None:
    queue = JobQueue(own)
    held = queue.take(job.id, "w")
    assert held is not None
    queue.list_units(held, "w", model="m", checkpoints=[(0, "step0"), (8, "step8")])
    units = Units(own, "w", lease_ms=60_000)
    for status in ("done", "failed"):
        unit = units.claim(job.id)
        assert unit is not None
        units.end(unit.id, status, sentence="" if status == "done" else "no such file", read_s=1.25)  # type: ignore[arg-type]
    end = ("--data-dir", folder)
    _, shown, _ = neuromfa(capsys, monkeypatch, "jobs", "show", job.id, *end)
    assert "2 of 2 checkpoints" in shown and "no such file" in shown and "1.2" in shown
    held = queue.take(job.id, "w")
    assert held is not None
    queue.finish(held, "w", "done", failed=1)
    code, told, _ = neuromfa(capsys, monkeypatch, "jobs", "follow", job.id, *end)
    assert code == 3 and "step 8: no such file" in told


@pytest.mark.parametrize(("status", "failed", "code"), [("done", 0, 0), ("done", 2, 3), ("failed", 0, 1)])
def test_a_job_is_followed_to_its_end(
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    own: GraphStore,
    job: Job,
    status: Status,
    failed: int,
    code: int,
) -> None:
    monkeypatch.setattr(command, "LOOK_S", 0.05)
    queue = JobQueue(own)
    assert queue.claim("w") is not None

    def end() -> None:
        queue.report(job, "w", done=1, total=2, message="step 0")
        threading.Event().wait(0.5)
        queue.finish(job, "w", status, failed=failed)

    worker = threading.Timer(0.5, end)
    worker.start()
    words = ("jobs", "follow", job.id, "--json", "--data-dir", folder)
    found, text, _ = neuromfa(capsys, monkeypatch, *words)
    worker.join()
    states = [json.loads(line) for line in text.splitlines()]
    assert [state["status"] for state in states] == ["running"] * (len(states) - 1) + [status]
    assert found == code
    assert states[-1]["done"] == 1


def test_what_cannot_be_meant_is_said(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, job: Job
) -> None:
    for words, code, told in (
        (("show",), 2, "needs the id of a job"),
        (("show", "nothing"), 1, "there is no job nothing"),
        (("list", "--status", "odd"), 2, "--status is one of queued"),
    ):
        found, _, message = neuromfa(capsys, monkeypatch, "jobs", *words, "--data-dir", folder)
        assert found == code and told in message
