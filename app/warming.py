"""What the first reader of a service would wait for, done beside its first requests, once it listens.

Routes are completed when a first request passes them, the server plans each query when it first meets it, records are
read by what is made at their first use, templates are read when a page is first made, and the curve of a long series
loads a library: one look at all routes, one curve, one spectrum and two pages, made as for a reader, do all that.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from threading import Event, Thread

from starlette.applications import Starlette
from starlette.requests import Request

from neuromfa.app.api.pages import first_page, series_page
from neuromfa.app.dependencies import Choice
from neuromfa.app.memory.curve_memory import CurveMemory
from neuromfa.app.memory.record_memory import RecordMemory
from neuromfa.app.memory.series_parts import spectrum_of
from neuromfa.errors import NeuroMFAError
from neuromfa.graph import GraphStore
from neuromfa.graph.given_up import Asker, asking
from neuromfa.model_id import in_route
from neuromfa.questions import Explorer

log = logging.getLogger("neuromfa.app")

PATIENCE_S, PAUSE_S = 5.0, 0.005


@contextmanager
def warming(app: Starlette, store: GraphStore, *, begin: Event) -> Iterator[None]:
    """Warm a service up in a thread, from when it is told to begin; the thread is over when the block is."""
    asker, context = Asker(), Context()
    context.run(asking.set, asker)
    thread = Thread(target=context.run, args=(_warm, app, store, begin), name="warming", daemon=True)
    thread.start()
    try:
        yield
    finally:
        asker.give_up()
        begin.set()
        thread.join()


def _warm(app: Starlette, store: GraphStore, begin: Event) -> None:
    begin.wait()
    until = time.monotonic() + PATIENCE_S
    try:
        pass_routes(app, until=until)
        _wait_for_quiet(app, until=until)
        model = read_one_series(store)
        _wait_for_quiet(app, until=until)
        draw_pages(app, store, model)
    except NeuroMFAError as error:
        log.info("not all was read before the first request: %s", error)


def pass_routes(app: Starlette, *, until: float) -> None:
    """Look for an address that no route has: each completes what it needs to know whether one is its own."""
    scope = {"type": "http", "method": "GET", "path": "//", "root_path": "", "headers": []}
    for route in app.routes:
        _wait_for_quiet(app, until=until)
        route.matches(scope)


def _wait_for_quiet(app: Starlette, *, until: float) -> None:
    """Let requests under way go before, up to a moment of the monotonic clock; who asks longer warms it up too."""
    while app.state.metrics.n_under_way and time.monotonic() < until:
        asking.get().check()
        time.sleep(PAUSE_S)


def read_one_series(store: GraphStore) -> str | None:
    """Read the curve and a spectrum of the first series that has them, among the first few; return its model."""
    for record in store.models(limit=5, cursor=None).items:
        index = store.series_index(record.id)
        if index.analyses:
            chosen = index.analyses[0].options_hash
            CurveMemory().whole(store, index, chosen)
            newest = index.newest(chosen)[-1]
            spectrum_of(newest, RecordMemory().text(store, index, newest), samples=False)
            return record.id
    return None


def draw_pages(app: Starlette, store: GraphStore, model: str | None) -> None:
    """Make the first page and that of a series, which nobody is sent."""
    first_page(_asked(app, "/"), store, Choice())
    if model is not None:
        explorer = Explorer(store, app.state.samples, app.state.settings.query_timeout)
        series_page(_asked(app, f"/models/{in_route(model)}"), store, explorer, model, Choice())


def _asked(app: Starlette, path: str) -> Request:
    """Return a request as a browser sends it that has nothing yet."""
    server = (app.state.settings.host, app.state.settings.port)
    return Request(
        {
            "type": "http",
            "app": app,
            "method": "GET",
            "scheme": "http",
            "server": server,
            "path": path,
            "root_path": app.state.settings.root_path,
            "query_string": b"",
            "headers": [],
        }
    )
