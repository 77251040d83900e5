"""Pages of other origins that may read answers: those the operator named, and reading only."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neuromfa.app.errors import BAD_REQUEST, answer
from neuromfa.app.settings import PREFIX

METHODS = ("GET", "HEAD")
ASKED_WITH = ("Authorization", "If-None-Match", "X-Request-ID")
TOLD = ("ETag", "Link", "Retry-After", "X-Request-ID", "Content-Disposition")
ADVICE = f"origins named in {PREFIX}CORS_ORIGINS may read, and nothing else"
POLICY = "Cross-Origin-Resource-Policy"


class ReadersOrigins:
    """ASGI middleware: answers the questions browsers ask before, and lets named origins read; no credentials go along.

    Parameters
    ----------
    origins : such as ``https://notebooks.example``
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self._app = CORSMiddleware(
            app, allow_origins=origins, allow_methods=METHODS, allow_headers=ASKED_WITH, expose_headers=TOLD
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what a named origin may read is not kept to this one either."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await self._asked_before(scope)(scope, receive, send)
            return

        async def opened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "access-control-allow-origin" in headers:
                    headers[POLICY] = "cross-origin"
            await send(message)

        await self._app(scope, receive, opened)

    def _asked_before(self, scope: Scope) -> ASGIApp:
        """Return what answers a browser that asks whether it may ask; all else with this method is for the routes."""
        headers = Headers(scope=scope)
        if "origin" not in headers or "access-control-request-method" not in headers:
            return self._app
        response = self._app.preflight_response(headers)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        return answer(BAD_REQUEST, f"{bytes(response.body).decode()}; {ADVICE}", scope)
