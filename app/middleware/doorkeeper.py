"""What surrounds every request: its id, the host check, safe headers, and the last net for errors."""

import logging
import re
import secrets
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neuromfa.app.errors import INTERNAL, WRONG_HOST, answer
from neuromfa.app.log_lines import request_id
from neuromfa.app.settings import PREFIX, Settings, is_loopback

log = logging.getLogger("neuromfa.app")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
SAFE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_SAFE = [(name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items()]
MOST_HOSTS = 100


class Doorkeeper:
    """Pure ASGI middleware around the whole service."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._passes = lru_cache(MOST_HOSTS)(lambda host: host_passes(host, settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request with an id, refuse foreign hosts, and turn what nobody caught into a problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(_request_id(scope), send)
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        request_id.set(exchange.request_id)
        host = Headers(scope=scope).get("host", "")
        if not self._passes(host):
            await answer(WRONG_HOST, _advice(host), scope)(scope, receive, exchange.send)
            return
        try:
            await self.app(scope, receive, exchange.send)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if exchange.started:
                raise
            detail = f"an unexpected error; the log speaks of it as request {exchange.request_id}"
            await answer(INTERNAL, detail, scope)(scope, receive, exchange.send)


class _Exchange:
    """The sending side of one request: adds the headers and remembers whether the answer has begun."""

    def __init__(self, request_id: str, send: Send) -> None:
        self.request_id = request_id
        self.started = False
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            given = message.get("headers", ())
            names = {name.lower() for name, _ in given}
            safe = [pair for pair in _SAFE if pair[0] not in names]
            message["headers"] = [*given, (b"x-request-id", self.request_id.encode()), *safe]
        await self._send(message)


def host_passes(host: str, settings: Settings) -> bool:
    """Return whether a request with this Host header is meant for us.

    Where no key is asked for, only loopback names pass: a page of another site whose name was bound to
    127.0.0.1 is refused.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    if name in settings.host_names:
        return True
    if settings.binds_loopback or settings.open_reads:
        return is_loopback(name)
    return not settings.host_names


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _advice(host: str) -> str:
    return (
        f"this service does not answer for the host {host!r}; if it should, name it in {PREFIX}ALLOWED_HOSTS"
    )
