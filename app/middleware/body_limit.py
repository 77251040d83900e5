"""How large the body of a request may be, and how long it may take: bounded before anything reads it into memory."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neuromfa.app.errors import TOO_LARGE, TOO_SLOW, answer

MOST_BYTES = 1_000_000
LONGEST_S = 20.0
ADVICE = f"the body of a request has at most {MOST_BYTES:,} bytes"


class BodyLimit:
    """Pure ASGI middleware: refuses a body by its announced length, and by its real one while it comes in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with a `receive` that counts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced[:20]) > MOST_BYTES:
            await answer(TOO_LARGE, ADVICE, scope)(scope, receive, send)
            return
        await self.app(scope, _Counter(receive).receive, send)


class _Counter:
    """The receiving side of one request; once its body is there, it only waits for the client to leave."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._bytes = receive, 0
        self._until: float | None = asyncio.get_running_loop().time() + LONGEST_S

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(TOO_SLOW.status, f"a body comes within {LONGEST_S:g} s") from None
        if not message.get("more_body"):
            self._until = None
        self._bytes += len(message.get("body", b""))
        if self._bytes > MOST_BYTES:
            raise HTTPException(TOO_LARGE.status, ADVICE)
        return message
