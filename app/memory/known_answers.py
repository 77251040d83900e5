"""Addresses that were answered before: what their answer is made of, and whether it still holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from neuromfa.app.etags import VARY, headers_of, known_as, takes_gzip, zipped_tag
from neuromfa.app.file_responses import disposition
from neuromfa.app.memory.held_answers import Body
from neuromfa.app.table_forms import accepted

Place = tuple[str, str, str]
FOR_EVER = "max-age=31536000, immutable"
KNOWN_BYTES = 600


def place_of(scope: Scope) -> Place:
    """Return under what an answer is remembered: all of an address that a route looks at, and the form it may have."""
    return scope["path"], scope["query_string"].decode("latin-1"), accepted(scope)


@dataclass(frozen=True, eq=False)
class Known:
    """How an address was answered.

    Attributes
    ----------
    route : that answered it, for whoever counts requests
    tag : of the content, not packed
    media_type, name : of the answer, and under which it is saved as a file
    states : of each model it is of, while which it holds; none of what never changes
    by_form : `Accept` chooses its form
    until : time of the monotonic clock to which memory vouches for what never changes, in seconds
    """

    route: Any
    place: Place
    tag: str
    media_type: str
    name: str | None = None
    states: tuple[tuple[str, str], ...] = ()
    by_form: bool = False
    until: float | None = None

    @property
    def n_bytes(self) -> int:
        """About how much it takes."""
        return KNOWN_BYTES + sum(map(len, self.place)) + 200 * len(self.states)

    @property
    def body(self) -> tuple[str, str, str, str, float | None]:
        """The name of its bytes."""
        return (*self.place, self.tag, self.until)

    def answer(
        self, body: Body | None, headers: Mapping[str, str], known_tags: str | None
    ) -> Response | None:
        """Return the answer: 304 where the reader has it, else the bytes in the form the reader takes.

        Parameters
        ----------
        body : its bytes where they are held
        headers : of the request
        known_tags : `If-None-Match` of the request

        Returns
        -------
        answer : None where bytes are needed that are not held, or not in that form
        """
        zipped = body is not None and body.is_large and takes_gzip(headers.get("accept-encoding", ""))
        known = known_as(known_tags, self.tag, zipped=zipped)
        if known is not None:
            return Response(status_code=304, headers=self._tagged(known))
        text = None if body is None else body.form(zipped=zipped)
        return None if body is None or text is None else self._sent(text, zipped=zipped, link=body.link)

    def _sent(self, text: bytes, *, zipped: bool, link: str | None) -> Response:
        told = self._tagged(zipped_tag(self.tag) if zipped else self.tag)
        told |= {} if self.name is None else {"Content-Disposition": disposition(self.name)}
        told |= {} if link is None else {"Link": link}
        told |= {"Content-Encoding": "gzip"} if zipped else {}
        return Response(text, media_type=self.media_type, headers=told)

    def _tagged(self, tag: str) -> dict[str, str]:
        if self.until is None:
            return headers_of(tag, by_form=self.by_form)
        return {"ETag": tag, "Cache-Control": FOR_EVER, "Vary": VARY}
