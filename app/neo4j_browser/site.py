"""The pages of ``make neo4j``: Neo4j's own Browser out of its jar, kept from calling out, with our style and guide.

Why the Browser's files are served here and not by Neo4j: docs/decisions/neo4j-browser.md.
"""

import json
import mimetypes
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from socket import socket
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neuromfa.app.neo4j_browser.guide import guide_html
from neuromfa.app.neo4j_browser.queries import explore_file, saved_queries
from neuromfa.app.neo4j_browser.style import style_rules

START_S = 20.0
STOP_S = 5.0
FOLDER = "neuromfa"
CONNECTION = "$$discovery"
TYPES = {".js": "text/javascript", ".woff": "font/woff", ".woff2": "font/woff2"}
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}

# The overview instead of a tour, no edges that a query did not return, no change by accident, nothing sent to anybody.
SETTINGS = {
    "initCmd": saved_queries()["overview"].filled(),
    "useReadTransactions": True,
    "autoComplete": False,
    "allowUserStats": False,
    "allowCrashReports": False,
    "showSampleScripts": False,
    "showWheelZoomInfo": False,
}


@dataclass(frozen=True)
class Places:
    """Where things are.

    Attributes
    ----------
    jar : the Neo4j Browser as Maven Central has it
    port : of these pages
    bolt_port : of Neo4j
    user : user name at Neo4j
    """

    jar: Path
    port: int
    bolt_port: int
    user: str

    @property
    def root(self) -> str:
        """Address of these pages; the Browser takes guides from localhost and not from 127.0.0.1."""
        return f"http://localhost:{self.port}"

    @property
    def bolt(self) -> str:
        """Address of Neo4j."""
        return f"bolt://127.0.0.1:{self.bolt_port}"

    @property
    def policy(self) -> str:
        """What the Browser may load and call: these pages and this Neo4j, nothing else."""
        calls = f"{self.root} ws://localhost:{self.bolt_port} ws://127.0.0.1:{self.bolt_port}"
        return (
            "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
            f"connect-src 'self' {calls}; object-src 'none'; frame-src 'none'; frame-ancestors 'none'; "
            "base-uri 'self'; form-action 'self'"
        )

    @property
    def after_connecting(self) -> str:
        """What the Browser runs by itself once it is connected."""
        return f"guide {self.root}/guide.html"

    def opening(self, password: str) -> str:
        """Return the address that opens the Browser connected, with style and guide."""
        return f"{self.root}/open#{password}"


def create_site(places: Places) -> Starlette:
    """Return the application that serves all of it."""
    setup = json.dumps(_setup(places))
    return Starlette(
        routes=[
            Route("/", _discovery(places)),
            Route("/browser/{path:path}", _browser(places)),
            Route("/open", _fixed(_own("open.html"), "text/html", HEADERS)),
            Route("/open.js", _fixed(_own("open.js"), "text/javascript", HEADERS)),
            Route("/setup.json", _fixed(setup, "application/json", HEADERS)),
            _shared("/style.grass", explore_file("style.grass"), "text/plain"),
            _shared("/guide.html", guide_html(), "text/html"),
        ],
        # other names would let a page elsewhere reach this server through its own name
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"])],
    )


def _own(name: str) -> str:
    return (files("neuromfa.app.neo4j_browser") / name).read_text(encoding="utf-8")


def _fixed(text: str, kind: str, headers: dict[str, str]) -> Callable[[Request], Response]:
    """Answer with the same text always."""
    return lambda _: Response(text, 200, headers, kind)


def _shared(path: str, text: str, kind: str) -> Route:
    """Answer also a Neo4j Browser that was served from elsewhere; it asks for leave first."""
    allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
    return Route(path, _fixed(text, kind, HEADERS | allowed), methods=["GET", "OPTIONS"])


def _discovery(places: Places) -> Callable[[Request], Response]:
    """Answer people with the Browser and the Browser with the address of Neo4j."""
    found = json.dumps(
        {"bolt_direct": places.bolt, "bolt_routing": places.bolt, "neo4j_edition": "community"}
    )

    def discovery(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/open", headers=HEADERS)
        return Response(found, 200, HEADERS, "application/json")

    return discovery


def _browser(places: Places) -> Callable[[Request], Response]:
    """Answer with a file of the jar's folder ``browser``; its list of members is all there is to ask for."""
    with zipfile.ZipFile(places.jar) as archive:
        members = frozenset(archive.namelist())
    headers = HEADERS | {"Content-Security-Policy": places.policy}

    def browser(request: Request) -> Response:
        name = "browser/" + (request.path_params["path"] or "index.html")
        if name not in members:
            return Response("there is no such file", 404, HEADERS, "text/plain")
        kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
        with zipfile.ZipFile(places.jar) as archive:
            return Response(archive.read(name), 200, headers, kind or "application/octet-stream")

    return browser


def _setup(places: Places) -> dict[str, object]:
    """Return what ``open.js`` puts into the Browser."""
    return {
        "settings": SETTINGS,
        "style": style_rules(),
        "folders": [{"id": FOLDER, "name": "NeuroMFA"}],
        "documents": [
            {"id": f"{FOLDER}-{name}", "folder": FOLDER, "content": query.favourite}
            for name, query in saved_queries().items()
        ],
        "connection": {
            "id": CONNECTION,
            "name": CONNECTION,
            "type": "bolt",
            "host": places.bolt,
            "username": places.user,
            "authEnabled": True,
            "authenticationMethod": "NATIVE",
        },
    }


class Site:
    """The site on a socket that listens already, served by a thread; a context.

    Parameters
    ----------
    app : from `create_site`
    listener : a listening socket on loopback
    """

    def __init__(self, app: Starlette, listener: socket) -> None:
        config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="site", daemon=True
        )

    def __enter__(self) -> "Site":
        self._thread.start()
        until = time.monotonic() + START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_S)
