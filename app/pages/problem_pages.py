"""Failures of pages as pages: the same table of errors as REST has, said to a person."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse

from neuromfa.app.errors import INVALID, ProblemKind, Refused, kind_of
from neuromfa.app.pages.addresses import root_of
from neuromfa.app.pages.templating import rendered
from neuromfa.app.rooms import Seated
from neuromfa.errors import NeuroMFAError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(Seated):
    """A route whose failures are pages."""

    def get_route_handler(self) -> Handler:
        """Return the usual handler, with what it raises turned into a page."""
        usual = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await usual(request)
            except NeuroMFAError as error:
                return problem_page(request, kind_of(error), str(error))
            except Refused as error:
                return problem_page(request, error.kind, str(error))
            except RequestValidationError as error:
                faults = (f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors())
                return problem_page(request, INVALID, "; ".join(faults))

        return handler


def problem_page(
    request: Request, kind: ProblemKind, detail: str, *, refused: bool = False, then: str | None = None
) -> HTMLResponse:
    """Return the page that says a problem; where a key is missing it asks for it.

    Parameters
    ----------
    refused : a key was given, and was another one
    then : where to go once the key is given; left out: where the request went
    """
    context = {
        "root": root_of(request),
        "here": "",
        "problem": {"title": kind.title, "status": kind.status, "detail": detail},
        "then": _asked(request) if then is None else then,
        "refused": refused,
    }
    return HTMLResponse(rendered("problem.html", context), kind.status, {"Cache-Control": "no-store"})


def _asked(request: Request) -> str:
    """Return the path below the service that was asked for, with its words."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return f"{path}?{request.url.query}" if request.url.query else path
