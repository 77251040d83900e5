"""Routes of ingest jobs: put one into the queue, follow it, cancel it, try it again. A worker does the work."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from neuromfa.app.concurrency_limit import Seats
from neuromfa.app.dependencies import Configured, NumberPages, Pages, Store, offset_of, writer
from neuromfa.app.errors import TOO_MANY, Refused
from neuromfa.app.job_watch import JobWatch
from neuromfa.app.path_prefix import prefix_of
from neuromfa.app.rooms import seated
from neuromfa.app.schemas.answers import Listing
from neuromfa.app.settings import Settings
from neuromfa.app.source_policy import admitted
from neuromfa.app.table_forms import table_of
from neuromfa.declared import adapter
from neuromfa.errors import CheckpointMissing, OptionError, SourceError
from neuromfa.graph.job_queue import LARGEST_PAGE, Job, JobQueue, Status
from neuromfa.graph.units import Unit, UnitStatus, units_of
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import check_model_id

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=seated("held"))
sources = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=seated("hub"))

MOST_WAITING = 100
MOST_FOLLOWED = 32
MOST_LOOKS = 4
SOURCE_S = 5.0
HEARTBEAT_S = 15.0
LONGEST_S = 3600.0
AGAIN_MS = 3000
EVENTS = "text/event-stream"
EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "description": "Always `job`."},
        "id": {
            "type": "string",
            "description": "Of this state of the job; a browser sends it when it comes back.",
        },
        "data": {"type": "string", "description": "The job as JSON, as `GET /v1/jobs/{id}` answers."},
    },
}
"""One event of a stream, in the contract."""

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of a job.")]
Writer = Depends(writer)


@sources.post(
    "",
    status_code=202,
    dependencies=[Writer],
    responses={200: {"model": Job, "description": "It is open already."}},
)
async def queue_job(
    body: IngestRequest, store: Store, settings: Configured, request: Request, response: Response
) -> Job:
    """Put an ingest into the queue; what is wrong with its source is said now where it answers soon, else by a worker.

    While a job that asks for the same waits or runs, that job is returned, with status 200.
    """
    asked, queue = await run_in_threadpool(_ingest_of, body, settings), JobQueue(store)
    waiting = await run_in_threadpool(queue.jobs, status="queued", limit=MOST_WAITING)
    if len(waiting.items) == MOST_WAITING:
        raise Refused(TOO_MANY, f"{MOST_WAITING} jobs wait already; is a `neuromfa worker` running?")
    await _look_at(asked, request.app.state.looks)
    job, new = await run_in_threadpool(queue.put, asked.as_json())
    response.headers["Location"] = f"{prefix_of(request.scope)}/v1/jobs/{job.id}"
    if not new:
        response.status_code = 200
    return job


@router.get("", openapi_extra=table_of())
def list_jobs(
    store: Store,
    pages: NumberPages,
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


@router.get("/{id}/units", openapi_extra=table_of())
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
    responses={200: {"content": {EVENTS: {"schema": EVENT}}}},
)
async def follow_job(
    request: Request,
    store: Store,
    id: JobId,
    last_event_id: Annotated[str | None, Header(max_length=200, description="Sent by browsers.")] = None,
) -> Response:
    """Follow a job: one event `job` for every change, until it is over (server-sent events)."""
    seats: Seats = request.app.state.followers
    seats.take()
    try:
        state = await run_in_threadpool(read_job, store, id)
        if not state.is_open and last_event_id == _name(state):
            seats.give_back()
            return Response(status_code=204)  # tells a browser that came back not to come again
    except BaseException:
        seats.give_back()
        raise
    return _Followed(_events(request.app.state.job_watch, state), seats)


class _Followed(StreamingResponse):
    """A stream of events that has a seat until it ends, also where it ends before its first event."""

    def __init__(self, events: AsyncIterator[str], seats: Seats) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type=EVENTS, headers=headers)
        self._seats = seats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._seats.give_back()


async def _events(watch: JobWatch, state: Job) -> AsyncIterator[str]:
    """Yield a job's changes; a store that is away ends the stream, and the browser asks again."""
    begun = time.monotonic()
    yield f"retry: {AGAIN_MS}\n\n{_event(state)}"
    async with watch.of(state) as watched:
        while state.is_open and time.monotonic() - begun < LONGEST_S:
            now = await watched.next(state, within=HEARTBEAT_S)
            if now is None:
                return
            yield ": still there\n\n" if now == state else _event(now)
            state = now


def _event(state: Job) -> str:
    data = adapter(Job).dump_json(state).decode()
    return f"event: job\nid: {_name(state)}\ndata: {data}\n\n"


def _name(state: Job) -> str:
    running = state.units.running if state.units else 0
    return f"{state.status}-{state.done}-{running}-{round(state.updated.timestamp() * 1000)}"


async def _look_at(request: IngestRequest, seats: Seats) -> None:
    """Say what is wrong with a source, where that is seen in time; a source that says nothing is left to the worker.

    A step that is not there is a fault of the request, and not of this address.
    """
    try:
        seats.take()
    except Refused:
        return  # as many looks as there may be wait for other sources

    def look() -> None:
        try:
            check_model_id(request.open().select(request.steps).id)
        finally:
            seats.give_back()  # only now: a thread that waits for a source cannot be ended

    try:
        with anyio.move_on_after(SOURCE_S):
            limiter = anyio.CapacityLimiter(1)
            await anyio.to_thread.run_sync(look, abandon_on_cancel=True, limiter=limiter)
    except CheckpointMissing as error:
        raise SourceError(str(error)) from error
    except OSError as error:
        raise SourceError(f"{request.source} cannot be read: {error.strerror or error}") from error


def _ingest_of(body: IngestRequest, settings: Settings) -> IngestRequest:
    """Return the request for the worker; `OptionError` for a source or an architecture that is not let in."""
    from neuromfa.checkpoints import list_architectures  # here: no service needs checkpoints to start

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
