"""Requests that memory answers, before any route looks at them.

An address that was answered is answered again from what is held: after one short look at the states of its models, or
none where nothing can change. Whatever is not plain, a reader without a right, a page of another site, a body, an
address that is not known, goes on to the routes, which judge it as if this were not here.
"""

import time

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from neuromfa.app.concurrency_limit import Room
from neuromfa.app.dependencies import may_read
from neuromfa.app.errors import Refused
from neuromfa.app.memory.answering import Memory
from neuromfa.app.memory.known_answers import Known, place_of
from neuromfa.app.memory.series_memory import SEEN
from neuromfa.errors import NeuroMFAError

NOT_PLAIN = frozenset({b"content-length", b"transfer-encoding"})


class FromMemory:
    """Pure ASGI middleware that answers from memory what it may.

    Parameters
    ----------
    memory : of the service
    room : in which requests are while their models are looked at
    """

    def __init__(self, app: ASGIApp, *, memory: Memory, room: Room) -> None:
        self.app, self.memory, self.room = app, memory, room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        known = self._known(scope)
        answer = None
        if known is not None and await may_read(Request(scope)) and await self._holds(known, scope):
            headers = Headers(scope=scope)
            answer = known.answer(self.memory.bodies.get(known.body), headers, headers.get("if-none-match"))
        if known is None or answer is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = known.route
        await answer(scope, receive, send)

    def _known(self, scope: Scope) -> Known | None:
        """Return how this address was answered before, None for what is not plain or not known."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        known = self.memory.known.get(place_of(scope))
        return None if known is None or _is_odd(scope) else known

    async def _holds(self, known: Known, scope: Scope) -> bool:
        """Return whether an answer is as the store has it now; what was seen is kept for those behind."""
        if known.until is not None:
            return time.monotonic() < known.until
        client = scope["client"][0] if scope.get("client") else ""
        try:
            await self.room.enter(client)
        except Refused:
            return False
        try:
            seen = await self.memory.series.states_of([model for model, _ in known.states])
        except NeuroMFAError:
            return False
        finally:
            self.room.leave(client)
        scope[SEEN] = seen
        return all(seen[model] == state for model, state in known.states)


def _is_odd(scope: Scope) -> bool:
    """Return whether a request has a body, or is one of a page of another site."""
    return any(
        name in NOT_PLAIN or (name == b"sec-fetch-site" and value == b"cross-site")
        for name, value in scope["headers"]
    )
