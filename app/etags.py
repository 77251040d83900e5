"""ETags made of the content's own identity: an unchanged analysis costs its reader no body."""

from collections.abc import Iterable
from dataclasses import astuple
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from neuromfa import __version__
from neuromfa.app.dependencies import made_at_once
from neuromfa.app.form_asked import FORM
from neuromfa.app.table_forms import table_form
from neuromfa.identity import content_hash
from neuromfa.scores import Score

VARY = "Authorization, Accept-Encoding"
ZIPPED = '-gzip"'


class NotModified(Exception):
    """The reader already has this content; the answer is 304 with its tag."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


KnownTags = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="`ETag` of an answer you have; 304 without a body while nothing has changed.",
    ),
]


class Tagging:
    """The ETag of the answer under way."""

    def __init__(self, request: Request, response: Response, if_none_match: KnownTags = None) -> None:
        self._known = if_none_match or ""
        self._form = table_form(request.scope)
        self._response = response
        self.headers: dict[str, str] = {}  # for routes that answer with a response of their own

    def by(self, hashes: Iterable[str], *more: str | None) -> None:
        """Tag the answer by the hashes of what it shows; raise `NotModified` when the reader has that."""
        tag = tag_of([*hashes, *more, *([self._form] if self._form else [])])
        if known_as(self._known, tag):
            raise NotModified(tag)
        self.headers = headers_of(tag)
        self._response.headers.update(self.headers)


def tag_of(names: Iterable[str | None]) -> str:
    """Return the tag of what has these names.

    The program's version is part of it, since another version may write the same numbers otherwise.
    """
    return f'"{content_hash([__version__, *names])[:32]}"'


def zipped_tag(tag: str) -> str:
    """Return the tag of the same content packed by gzip."""
    return f"{tag[:-1]}{ZIPPED}"


def takes_gzip(header: str) -> bool:
    """Return whether an Accept-Encoding header lets an answer be packed by gzip."""
    for one in header.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def scores_hash(scores: Iterable[Score]) -> str:
    """Return the identity of benchmark scores, for the tag of an answer that shows them."""
    return content_hash([list(astuple(score)) for score in scores])


def known_as(header: str | None, tag: str, *, zipped: bool = False) -> str | None:
    """Return the tag under which an If-None-Match header names a content (weak comparison, as the standard asks).

    Parameters
    ----------
    zipped : the reader would be sent the packed form, so that is what `*` means

    Returns
    -------
    known : None where the reader has not got it
    """
    if not header:
        return None
    if header.strip() == "*":
        return zipped_tag(tag) if zipped else tag
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return next((one for one in (tag, zipped_tag(tag)) if one in named), None)


def headers_of(tag: str, *, by_form: bool = False) -> dict[str, str]:
    """Return the headers that go with a tag: always ask again, but a short question.

    Parameters
    ----------
    by_form : `Accept` chooses the form of the answer too
    """
    return {"ETag": tag, "Cache-Control": "no-cache", "Vary": f"{VARY}, Accept" if by_form else VARY}


def not_modified(request: Request, error: Exception) -> Response:
    """Answer 304."""
    if not isinstance(error, NotModified):
        raise error
    return Response(status_code=304, headers=headers_of(error.tag, by_form=FORM in request.scope))


Tag = Annotated[Tagging, Depends(made_at_once(Tagging))]
