"""The service as a table of contents: store, error table, routes, pages, what surrounds every request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from threading import Lock
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware

from neuromfa.app.api import (
    checkpoints,
    comparison_page,
    comparisons,
    curves,
    cypher,
    deletions,
    exports,
    graph_page,
    health,
    jobs,
    jobs_page,
    models,
    pages,
    questions,
    results,
    sweeps,
)
from neuromfa.app.concurrency_limit import Seats
from neuromfa.app.contract import complete
from neuromfa.app.dependencies import reader
from neuromfa.app.errors import Problem, register_errors
from neuromfa.app.etags import NotModified, not_modified
from neuromfa.app.job_watch import JobWatch
from neuromfa.app.keys import KeyRing
from neuromfa.app.known_words import check_words
from neuromfa.app.memory.answering import Memory
from neuromfa.app.memory.from_memory import FromMemory
from neuromfa.app.memory.held_answers import Makers
from neuromfa.app.middleware.body_limit import BodyLimit
from neuromfa.app.middleware.cross_origin import ReadersOrigins
from neuromfa.app.middleware.doorkeeper import Doorkeeper
from neuromfa.app.middleware.head_method import HeadMethod
from neuromfa.app.middleware.metrics import Meter, Metrics
from neuromfa.app.one_parser import parse_in_turn
from neuromfa.app.open_store import open_store
from neuromfa.app.pages.overview import OverviewMemory
from neuromfa.app.path_prefix import PathPrefix
from neuromfa.app.rooms import new_rooms
from neuromfa.app.settings import Settings, load_settings
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import JobQueue
from neuromfa.questions import SampleCache

DESCRIPTION = """Multifractal spectra of neuron interaction networks over training, and their graphs.

`{model}` is the id with `/` written `--`; `{step}` is `-` for a checkpoint without one. Lists are
`{"items": [...], "next": cursor or null}`. Every error is `application/problem+json` (RFC 9457).
Biases, norms, embeddings, unembedding and residual stream take no part in any number;
E is not comparable between models.

Numbers are pure numbers where no unit stands in their description: alpha0, width, E, q, tau, f, dimensions, every
excess and every p. Distances and radii are in 1/|w|, w being a weight. Every address is strict: a parameter it does
not know, or one given twice, is a 422 that names the nearest. `HEAD` is answered wherever `GET` is."""

SMALLEST_PACKED, PACKED_HOW_WELL = 1000, 5

PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": Problem,
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {}},
    }
}

STRICT = [Depends(check_words)]
READING = [Depends(reader), *STRICT]


class Service(FastAPI):
    """A FastAPI whose contract is complete, and made beside the event loop."""

    def setup(self) -> None:
        """Add the route of the contract."""
        self._contracts: dict[str, bytes] = {}
        self._contract_lock = Lock()
        self._makers = Makers(at_once=1)
        self.add_route("/openapi.json", self._read_contract, include_in_schema=False)

    def openapi(self) -> dict[str, Any]:
        """Return the contract, made once, in whichever thread asks first."""
        with self._contract_lock:
            if self.openapi_schema is None:
                complete(super().openapi())
            return super().openapi()

    async def _read_contract(self, request: Request) -> Response:
        """Return the contract as text; the first reader waits the better part of a second, and nobody else does."""
        prefix: str = request.scope.get("root_path", "").rstrip("/")
        if prefix not in self._contracts:
            self._contracts[prefix] = await self._makers.made(prefix, lambda: self._contract(prefix))
        return Response(self._contracts[prefix], media_type="application/json")

    def _contract(self, prefix: str) -> bytes:
        """Return the contract of a service below a path, the operator's."""
        servers = {"servers": [{"url": prefix}]} if prefix else {}
        return bytes(JSONResponse(self.openapi() | servers).body)


def create_app(settings: Settings | None = None, *, store: GraphStore | None = None) -> FastAPI:
    """Return the service.

    Parameters
    ----------
    settings : those of the environment when left out
    store : an open store, which stays its owner's; without it the service opens and closes its own
    """
    parse_in_turn()
    settings = settings or load_settings()
    app = Service(
        title="NeuroMFA",
        version=version("neuromfa"),
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        responses=PROBLEM,
        generate_unique_id_function=lambda route: route.name,
    )
    _keep(app, settings, store)
    register_errors(app)
    app.add_exception_handler(NotModified, not_modified)
    _route(app)
    _surround(app, settings)
    return app


def _keep(app: FastAPI, settings: Settings, store: GraphStore | None) -> None:
    """Give a service all that its requests share."""
    app.state.settings = settings
    app.state.store = store
    app.state.keys = KeyRing(settings)
    app.state.samples = SampleCache(max_bytes=settings.graphs_mb * 2**20)
    app.state.rooms = new_rooms()
    app.state.memory = Memory(lambda: app.state.store, max_bytes=settings.answers_mb * 2**20)
    app.state.overview = OverviewMemory()
    app.state.metrics = Metrics()
    app.state.followers = Seats(jobs.MOST_FOLLOWED, "streams of events")
    app.state.looks = Seats(jobs.MOST_LOOKS, "looks at sources")
    app.state.job_watch = JobWatch(lambda id: JobQueue(app.state.store).job(id))
    app.state.free_queries = Seats(cypher.MOST_AT_ONCE, "free queries")


def _route(app: FastAPI) -> None:
    """Give a service its routes; of those that fit an address the first answers."""
    # first, so that a sign of life is given before any other route is complete: see app/warming.py
    for router in (health.router, health.of_store):
        app.include_router(router, dependencies=STRICT)
    for router in (
        models.router,
        checkpoints.router,
        results.router,
        deletions.router,
        comparisons.router,
        sweeps.router,
        curves.router,
        questions.question_router(),
        exports.router,
        jobs.sources,
        jobs.router,
    ):
        app.include_router(router, dependencies=READING)
    app.include_router(cypher.router, dependencies=STRICT)
    app.include_router(pages.open_router)
    for router in (pages.router, comparison_page.router, jobs_page.router, graph_page.router):
        app.include_router(router, dependencies=READING)
    pages.mount_files(app)


def _surround(app: FastAPI, settings: Settings) -> None:
    """Put around the routes what every request passes, the innermost first."""
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_PACKED, compresslevel=PACKED_HOW_WELL)
    app.add_middleware(BodyLimit)
    app.add_middleware(FromMemory, memory=app.state.memory, room=app.state.rooms["held"])
    app.add_middleware(HeadMethod)
    if settings.readers_origins:
        app.add_middleware(ReadersOrigins, origins=settings.readers_origins)
    app.add_middleware(Doorkeeper, settings=settings)
    app.add_middleware(Meter, metrics=app.state.metrics)
    if settings.root_path:
        app.add_middleware(PathPrefix, prefix=settings.root_path)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open and verify the store before the first request, unless the owner of the service did."""
    if app.state.store is not None:
        yield
        return
    app.state.store = await run_in_threadpool(open_store, app.state.settings)
    try:
        yield
    finally:
        await run_in_threadpool(app.state.store.close)
