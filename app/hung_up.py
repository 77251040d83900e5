"""Requests whose client has left: what runs for them ends."""

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from starlette.requests import Request

from neuromfa.graph.given_up import Asker, asking

T = TypeVar("T")

WITHOUT_BODY = frozenset({"GET", "HEAD"})


async def unless_hung_up(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns; where the client leaves before, its queries are ended and `NobodyWaits` is raised.

    Only for requests without a body: to see that a client has left is to read on.
    """
    if request.method not in WITHOUT_BODY:
        return await work
    asker, context = Asker(), copy_context()
    context.run(asking.set, asker)
    loop = asyncio.get_running_loop()
    task = loop.create_task(work, context=context)
    leaving = loop.create_task(_left(request))
    try:
        await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            asker.give_up()
            asker.check()
        return task.result()
    finally:
        leaving.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))  # a thread of it cannot be stopped, and keeps its seat until it ends


async def _left(request: Request) -> None:
    """Return when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
