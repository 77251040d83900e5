"""HEAD wherever GET is: the same answer without its body, as monitors and link checkers ask for it."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadMethod:
    """Pure ASGI middleware that answers HEAD by the start of what GET answers; the work behind a stream is ended."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; HEAD as GET, in a scope of its own since the server looks at the method too."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        with anyio.CancelScope() as work:

            async def send_start(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body", "body": b""})
                    work.cancel()

            try:
                await self.app(asked, receive, send_start)
            finally:
                if "route" in asked:
                    scope["route"] = asked["route"]
