"""`neuromfa jobs`: what waits, runs and has ended; one job with its units, followed, cancelled or tried again."""

import sys
import time
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer
from rich.table import Table

from neuromfa.app.cli.main import EXIT_FAILED
from neuromfa.app.cli.options import AsJson, DataDir
from neuromfa.app.cli.output import EXIT_SOME_FAILED, console, write_json
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from neuromfa.graph.access import each
from neuromfa.graph.catalog import step_name
from neuromfa.graph.job_queue import LARGEST_PAGE, Job, JobQueue, Status
from neuromfa.graph.units import Unit, units_of
from neuromfa.results import to_json

LOOK_S = 0.5


class What(StrEnum):
    """What to do with jobs."""

    LIST = "list"
    SHOW = "show"
    FOLLOW = "follow"
    CANCEL = "cancel"
    RETRY = "retry"


def jobs(
    what: Annotated[
        What, typer.Argument(help="list them, or show, follow, cancel or retry one.")
    ] = What.LIST,
    id: Annotated[str | None, typer.Argument(help="Id of the job, or its beginning.")] = None,
    status: Annotated[str | None, typer.Option(help="List only those with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_PAGE, help="List at most so many.")] = 20,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs, the newest first, or show, follow, cancel or retry one of them."""
    with open_store(load_settings(data_dir=data_dir)) as store:
        queue = JobQueue(store)
        queue.abandon()
        if what is What.LIST:
            _list(queue, _status(status), limit, as_json)
            return
        if id is None:
            raise OptionError(f"neuromfa jobs {what} needs the id of a job; `neuromfa jobs` lists them")
        job = _named(queue, id)
        if what is What.FOLLOW:
            _follow(store, queue, job, as_json)
            return
        deeds: dict[What, Callable[[str], Job]] = {
            What.SHOW: queue.job,
            What.CANCEL: queue.cancel,
            What.RETRY: queue.retry,
        }
        _show(store, deeds[what](job.id), as_json)


def _status(text: str | None) -> Status | None:
    known: tuple[Status, ...] = ("queued", "running", "done", "failed", "cancelled")
    if text is None:
        return None
    for one in known:
        if one == text:
            return one
    raise OptionError(f"--status is one of {', '.join(known)}, not {text!r}")


def _named(queue: JobQueue, id: str) -> Job:
    """Return the job of an id, or the only one of the newest whose id begins so."""
    found = [job for job in queue.jobs().items if job.id.startswith(id)]
    if len(found) > 1:
        raise OptionError(f"{id} is the beginning of {len(found)} jobs; write more of the id")
    return found[0] if found else queue.job(id)


def _list(queue: JobQueue, status: Status | None, limit: int, as_json: bool) -> None:
    found = queue.jobs(status=status, limit=limit).items
    if as_json:
        write_json(found, "-")
        return
    table = Table("id", "status", "done", "under way", "failed", "priority", "queued", "source", "message")
    for job in found:
        table.add_row(
            job.id[:8],
            f"{job.status} in place" if job.in_place else job.status,
            _done(job),
            str(job.units.running if job.units else 0),
            str(job.failed),
            str(job.priority),
            f"{job.created:%Y-%m-%d %H:%M}",
            str(job.request.get("source", "-")),
            job.message,
        )
    console.print(table)


def _show(store: GraphStore, job: Job, as_json: bool) -> None:
    if as_json:
        write_json(job, "-")
        return
    console.print(_line(job))
    for name, value in job.request.items():
        console.print(f"  {name}: {value}")
    found = list(each(partial(units_of, store, job.id)))
    if found:
        console.print(_table(found))


def _table(units: list[Unit]) -> Table:
    table = Table(
        "step", "status", "tries", "read s", "measure s", "write s", "MB read", "edges", "worker", "message"
    )
    for one in units:
        table.add_row(
            step_name(one.step),
            one.status,
            str(one.attempts),
            *(f"{seconds:.1f}" for seconds in (one.read_s, one.measure_s, one.write_s)),
            f"{one.bytes_read / 1e6:.1f}",
            f"{one.edges:,}",
            one.worker,
            one.sentence,
        )
    return table


def _follow(store: GraphStore, queue: JobQueue, job: Job, as_json: bool) -> None:
    """Write a line for every change, until the job is over; the exit code says how it ended."""
    _tell(job, as_json)
    while job.is_open:
        time.sleep(LOOK_S)
        now = queue.job(job.id)
        if now != job:
            _tell(now, as_json)
        job = now
    if not as_json:
        for unit in each(partial(units_of, store, job.id, status="failed")):
            console.print(f"  step {step_name(unit.step)}: {unit.sentence}")
    if job.status == "failed":
        raise typer.Exit(EXIT_FAILED)
    if job.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _tell(job: Job, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(to_json(job) + "\n")
        sys.stdout.flush()
    else:
        console.print(_line(job))


def _line(job: Job) -> str:
    ending = "; it is asked to stop" if job.cancelling and job.is_open else ""
    place = " in place" if job.in_place else ""
    return f"job {job.id}: {job.status}{place}, {_done(job)} checkpoints {job.message}".rstrip() + ending


def _done(job: Job) -> str:
    return f"{job.done} of {job.total or '?'}"
