"""Routes of ingest jobs: put one into the queue, follow it, cancel it, try it again. A worker does the work."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from neuromfa.app.concurrency_limit import Seats
from neuromfa.app.dependencies import Configured, Pages, Store, offset_of, writer
from neuromfa.app.errors import TOO_MANY, Refused
from neuromfa.app.path_prefix import prefix_of
from neuromfa.app.schemas.answers import Listing
from neuromfa.app.settings import Settings
from neuromfa.app.source_policy import admitted
from neuromfa.checkpoints import list_architectures
from neuromfa.declared import adapter
from neuromfa.errors import CheckpointMissing, OptionError, SourceError, StoreError
from neuromfa.graph.job_queue import LARGEST_PAGE, Job, JobQueue, Status
from neuromfa.graph.units import Unit, UnitStatus, units_of
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import put

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

MOST_WAITING = 100
MOST_FOLLOWED = 32
LOOK_S = 0.5
HEARTBEAT_S = 15.0
LONGEST_S = 3600.0
AGAIN_MS = 3000
EVENTS = "text/event-stream"

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of a job.")]
Writer = Depends(writer)


@router.post(
    "",
    status_code=202,
    dependencies=[Writer],
    responses={200: {"model": Job, "description": "It is open already."}},
)
def queue_job(
    body: IngestRequest, store: Store, settings: Configured, request: Request, response: Response
) -> Job:
    """Put an ingest into the queue; what is wrong with its source is said now, the rest happens in a worker.

    While a job that asks for the same waits or runs, that job is returned, with status 200.
    """
    ingest, queue = _ingest_of(body, settings), JobQueue(store)
    if len(queue.jobs(status="queued", limit=MOST_WAITING).items) == MOST_WAITING:
        raise Refused(TOO_MANY, f"{MOST_WAITING} jobs wait already; is a `neuromfa worker` running?")
    job, new = _put(store, ingest)
    response.headers["Location"] = f"{prefix_of(request.scope)}/v1/jobs/{job.id}"
    if not new:
        response.status_code = 200
    return job


@router.get("")
def list_jobs(
    store: Store,
    pages: Pages,
    settings: Configured,
    status: Annotated[Status | None, Query(description="Only jobs with this status.")] = None,
) -> Listing[Job]:
    """List the jobs, the newest first."""
    offset_of(pages.cursor)
    limit = min(pages.limit, settings.page_limit, LARGEST_PAGE)
    page = JobQueue(store).jobs(status=status, limit=limit, cursor=pages.cursor)
    return Listing(items=page.items, next=pages.follow(page.next))


@router.get("/{id}")
def read_job(store: Store, id: JobId) -> Job:
    """Return one job."""
    return JobQueue(store).job(id)


@router.get("/{id}/units")
def list_units(
    store: Store,
    pages: Pages,
    settings: Configured,
    id: JobId,
    status: Annotated[UnitStatus | None, Query(description="Only units with this status.")] = None,
) -> Listing[Unit]:
    """List the units of a job, one checkpoint each, by step; none before a worker has listed them."""
    limit = min(pages.limit, settings.page_limit)
    JobQueue(store).job(id)
    page = units_of(store, id, status=status, limit=limit, cursor=pages.cursor)
    return Listing(items=page.items, next=page.next)


@router.delete("/{id}", dependencies=[Writer])
def cancel_job(store: Store, id: JobId) -> Job:
    """Cancel a job: at once when nobody works on it, else after the checkpoints under way; one that is over stays."""
    return JobQueue(store).cancel(id)


@router.post("/{id}/retry", status_code=202, dependencies=[Writer])
def retry_job(store: Store, id: JobId) -> Job:
    """Queue a job again that failed, was cancelled, or left checkpoints that failed: those, or what it had not done."""
    return JobQueue(store).retry(id)


@router.get(
    "/{id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {EVENTS: {"schema": {"type": "string"}}}}},
)
async def follow_job(
    request: Request,
    store: Store,
    id: JobId,
    last_event_id: Annotated[str | None, Header(max_length=200, description="Sent by browsers.")] = None,
) -> Response:
    """Follow a job: one event `job` for every change, until it is over (server-sent events)."""
    seats: Seats = request.app.state.followers
    seats.check()
    state = await run_in_threadpool(read_job, store, id)
    if not state.is_open and last_event_id == _name(state):
        return Response(status_code=204)  # tells a browser that came back not to come again
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(store, state, seats), media_type=EVENTS, headers=headers)


async def _events(store: Store, state: Job, seats: Seats) -> AsyncIterator[str]:
    """Yield a job's changes; a store that is away ends the stream, and the browser asks again."""
    with seats.one():
        begun = spoken = time.monotonic()
        yield f"retry: {AGAIN_MS}\n\n{_event(state)}"
        while state.is_open and time.monotonic() - begun < LONGEST_S:
            await anyio.sleep(LOOK_S)
            try:
                now = await run_in_threadpool(read_job, store, state.id)
            except StoreError:
                return
            if now != state:
                yield _event(now)
                state, spoken = now, time.monotonic()
            elif time.monotonic() - spoken > HEARTBEAT_S:
                yield ": still there\n\n"
                spoken = time.monotonic()


def _event(state: Job) -> str:
    data = adapter(Job).dump_json(state).decode()
    return f"event: job\nid: {_name(state)}\ndata: {data}\n\n"


def _name(state: Job) -> str:
    running = state.units.running if state.units else 0
    return f"{state.status}-{state.done}-{running}-{round(state.updated.timestamp() * 1000)}"


def _put(store: Store, request: IngestRequest) -> tuple[Job, bool]:
    """Queue a job; a step that is not there is a fault of the request, and not of this address."""
    try:
        return put(store, request)
    except CheckpointMissing as error:
        raise SourceError(str(error)) from error
    except OSError as error:
        raise SourceError(f"{request.source} cannot be read: {error.strerror or error}") from error


def _ingest_of(body: IngestRequest, settings: Settings) -> IngestRequest:
    """Return the request for the worker; `OptionError` for a source or an architecture that is not let in."""
    known = sorted(architecture.name for architecture in list_architectures())
    if body.architecture is not None and str(body.architecture) not in known:
        raise OptionError(f"architecture is one of {', '.join(known)}, not {str(body.architecture)!r}")
    if body.download:
        raise OptionError("download is for the command line: a worker reads sampled ranges")
    options, allowed = body.options, settings.allowed_sources
    if options.baseline_source is not None:
        source, step = options.baseline_source
        named = admitted(source, allowed)
        options = replace(options, baseline=named if step is None else f"{named}@{step}")
    return replace(body, source=admitted(body.source, allowed), options=options)
