"""Which requests share a room, so that those that cost much leave the others alone."""

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, ClassVar, Literal

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from neuromfa.app.concurrency_limit import Room
from neuromfa.app.errors import FOREIGN_PAGE, Refused
from neuromfa.app.file_responses import disposition
from neuromfa.app.form_asked import FORM
from neuromfa.app.hung_up import unless_hung_up
from neuromfa.app.memory.answering import JSON, Memory
from neuromfa.app.settings import Settings
from neuromfa.app.table_forms import (
    ENDINGS,
    TABLE,
    choose_form,
    file_name,
    media_type_of,
    table_form,
    tabled,
)

Kind = Literal["held", "plain", "graph", "table", "hub"]

COSTLY: frozenset[Kind] = frozenset({"graph", "table"})
OF_THE_BODY = frozenset({"content-type", "content-length"})
FOREIGN = (
    "a page of another site asks for something costly; open it from this service's own pages, or by a program"
)


def new_rooms() -> Mapping[Kind, Room]:
    """Return the rooms of one service.

    ``held``: answers from memory, which take no thread. ``plain``: short reads of the store. ``graph``: questions to
    graphs, some of which calculate. ``table``: tables and comparisons of whole series. ``hub``: looks at sources
    elsewhere. All threads together are fewer than the event loop lends, so that no kind waits for another.
    """
    return {
        "held": Room("requests", inside=256, waiting=256, a_client=384),
        "plain": Room("reads", inside=16, waiting=112, a_client=96),
        "graph": Room("questions to graphs", inside=4, waiting=28, a_client=24),
        "table": Room("tables and comparisons", inside=2, waiting=14, a_client=12),
        "hub": Room("looks at sources", inside=2, waiting=6, a_client=6),
    }


class Seated(APIRoute):
    """A route whose requests are in a room while their answer is made; what holds a thread ends with its client.

    Where its answers have rows (`TABLE`), they are JSON or a table, as the ending of the address or `Accept` chooses.
    """

    kind: ClassVar[Kind] = "held"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the usual handler, inside of a room."""
        handle, in_thread = super().get_route_handler(), not iscoroutinefunction(self.endpoint)
        kind: Kind = "plain" if in_thread and self.kind == "held" else self.kind
        rows = self.rows

        async def in_its_form(request: Request) -> Response:
            choose_form(request.scope)
            return await _in_form(request, await handle(request), rows)

        async def handler(request: Request) -> Response:
            if kind in COSTLY and _is_foreign(request):
                raise Refused(FOREIGN_PAGE, FOREIGN)
            return await _served(request, kind, in_its_form if rows else handle, in_thread=in_thread)

        return handler

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether an address is of this route; one of tables has its endings too."""
        match, child = super().matches(scope)
        if match is not Match.NONE or not scope["path"].endswith(ENDINGS) or not self.rows:
            return match, child
        path, _, form = scope["path"].rpartition(".")
        match, child = super().matches({**scope, "path": path})
        return match, {**child, FORM: form}

    @property
    def rows(self) -> str:
        """The member of its answers that holds the rows of a table; nothing where there are none."""
        return str((self.openapi_extra or {}).get(TABLE, ""))


async def _in_form(request: Request, answer: Response, rows: str) -> Response:
    """Return an answer in the form that is asked for; what is no JSON any more has it already."""
    answer.headers.add_vary_header("Accept")
    form = table_form(request.scope)
    if form is None or answer.headers.get("content-type") != JSON:
        return answer
    memory: Memory = request.app.state.memory
    table = await memory.costly.made(object(), partial(tabled, bytes(answer.body), rows, form))
    told = {"Content-Disposition": disposition(file_name(request.scope, form))}
    kept = {name: value for name, value in answer.headers.items() if name not in OF_THE_BODY}
    return Response(table, media_type=media_type_of(form), headers=kept | told)


def _is_foreign(request: Request) -> bool:
    """Return whether a page of another site sent this, none that the operator lets read."""
    settings: Settings = request.app.state.settings
    is_cross = request.headers.get("sec-fetch-site") == "cross-site"
    return is_cross and request.headers.get("origin") not in settings.readers_origins


def seated(kind: Kind) -> type[Seated]:
    """Return the class of routes whose requests are in one kind of room; in ``held`` those with a thread are plain."""
    return type(f"SeatedAs{kind.title()}", (Seated,), {"kind": kind})


async def _served(
    request: Request,
    kind: Kind,
    handle: Callable[[Request], Coroutine[Any, Any, Response]],
    *,
    in_thread: bool,
) -> Response:
    rooms: Mapping[Kind, Room] = request.app.state.rooms
    room, client = rooms[kind], request.client.host if request.client else ""
    await room.enter(client)
    try:
        return await (unless_hung_up(request, handle(request)) if in_thread else handle(request))
    finally:
        room.leave(client)
