"""Answers that are pages: with a tag of their content, so that asking again costs little."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from neuromfa.app.etags import headers_of, known_as
from neuromfa.app.pages.addresses import root_of
from neuromfa.app.pages.templating import rendered

TAG_LETTERS = 32


def page(request: Request, template: str, context: Mapping[str, Any]) -> Response:
    """Return a page; one that the browser has already is a 304."""
    text = rendered(template, {"root": root_of(request), **context})
    tag = f'"{sha256(text.encode()).hexdigest()[:TAG_LETTERS]}"'
    headers = headers_of(tag) | {"Vary": "Authorization, Cookie"}
    if known_as(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(text, headers=headers)
