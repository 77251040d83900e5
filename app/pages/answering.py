"""Answers that are pages, with a tag: asking again for one that has not changed costs little, and nothing is drawn."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from neuromfa import __version__
from neuromfa.app.etags import headers_of, known_as
from neuromfa.app.pages.addresses import root_of
from neuromfa.app.pages.templating import assets_tag, rendered
from neuromfa.identity import content_hash

TAG_LETTERS = 32
VARY = {"Vary": "Authorization, Cookie"}


def unchanged(request: Request, identity: Iterable[str]) -> Response | None:
    """Return the answer to a browser that has this page already, None where it has to be made.

    Parameters
    ----------
    identity : what changes when what the page shows does
    """
    request.state.page_tag = tag = _tag(request, identity)
    if known_as(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers_of(tag) | VARY)
    return None


def page(request: Request, template: str, context: Mapping[str, Any]) -> Response:
    """Return a page; without an identity told before, what stands in it is its identity."""
    text = rendered(template, {"root": root_of(request), **context})
    tag: str | None = getattr(request.state, "page_tag", None)
    if tag is None and (answer := unchanged(request, [text])) is not None:
        return answer
    return HTMLResponse(text, headers=headers_of(request.state.page_tag) | VARY)


def _tag(request: Request, identity: Iterable[str]) -> str:
    said = [__version__, assets_tag(), str(request.url), *identity]
    return f'"{content_hash(said)[:TAG_LETTERS]}"'
