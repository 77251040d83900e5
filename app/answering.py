"""Answers whose tag is known before anything of them is read: sent from memory, or made once for all who ask."""

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Response

from neuromfa.app.dependencies import Choice
from neuromfa.app.etags import VARY, KnownTags, headers_of, known_as, tag_of, takes_gzip, zipped_tag
from neuromfa.app.file_responses import disposition
from neuromfa.app.held_answers import Body, Held, Makers
from neuromfa.app.hung_up import unless_hung_up
from neuromfa.app.series_memory import SeriesMemory
from neuromfa.app.series_parts import Curve, curve_of
from neuromfa.graph import GraphStore
from neuromfa.graph.stored_series import SeriesIndex, StoredStep

JSON = "application/json"
FOR_EVER = "max-age=31536000, immutable"
TRUSTED_S = 60.0
NAME_BYTES = 400
TAG_BYTES = 16 * 2**20


@dataclass(frozen=True)
class _Tagged:
    """The tag of an answer, and the room it takes with its name."""

    tag: str
    n_bytes: int


class Memory:
    """All that one service keeps in memory of what it answered.

    Attributes
    ----------
    series : what stands where
    bodies : answers by path, query and tag
    curves : the numbers of whole series by state and analysis, of which answers show parts
    tags : of answers by path, query and the state of the series they are of
    """

    def __init__(self, store: Callable[[], GraphStore]) -> None:
        self.store = store
        self.series = SeriesMemory(store)
        self.bodies: Held[Body] = Held()
        self.curves: Held[Curve] = Held()
        self.tags: Held[_Tagged] = Held(max_bytes=TAG_BYTES)
        self.makers = Makers()

    def curve(self, store: GraphStore, index: SeriesIndex, options_hash: str) -> Curve:
        """Return the numbers of a whole series, in a thread."""
        name = (index.state, options_hash)
        held = self.curves.get(name)
        if held is None:
            held = curve_of(store, index, options_hash)
            self.curves.keep(name, held)
        return held


class Answering:
    """The answer under way to one request."""

    def __init__(self, request: Request, response: Response, known: str | None) -> None:
        self._request, self._response, self._known_tags = request, response, known
        self.memory: Memory = request.app.state.memory
        self._place = (request.scope["path"], request.scope["query_string"].decode("latin-1"))

    async def series(self, model: str) -> SeriesIndex:
        """Return what stands where in a series, as it is in the store now."""
        return await self.memory.series.of(model)

    async def step(self, index: SeriesIndex, step: int | None, choice: Choice) -> StoredStep:
        """Return the result of a checkpoint in the analysis that is chosen; `NotStored` says what is missing."""
        chosen = index.choose(**asdict(choice)).analysis
        found = index.step(chosen.options_hash, step)
        if found is None:
            tell = partial(self.memory.store().not_measured, index.model, step, chosen)
            raise await self.memory.makers.made((index.state, step, chosen.options_hash), tell)
        return found

    async def answer(
        self,
        of: Sequence[SeriesIndex],
        hashes: Iterable[str | None],
        *,
        make: Callable[[GraphStore], bytes],
        media_type: str = JSON,
        name: str | None = None,
    ) -> Response:
        """Return an answer: 304 where the reader has it, else its bytes from memory, else as `make` makes them.

        Parameters
        ----------
        of : the series it is of
        hashes : names of all that it shows; not looked at while the series are as they were
        make : reads and writes it, in a thread
        name : under which a file is saved
        """
        tag = self._tag("".join(one.state for one in of), hashes)
        known = self._known(tag)
        if known is not None:
            return Response(status_code=304, headers=headers_of(known))
        body = await self._body((*self._place, tag), make)
        headers = headers_of(tag) | ({} if name is None else {"Content-Disposition": disposition(name)})
        return self._sent(body, headers, media_type)

    async def immutable(self, name: str, make: Callable[[GraphStore], bytes]) -> Response:
        """Return an answer that never changes under its address; memory vouches for it for `TRUSTED_S`."""
        body = await self._body((*self._place, "", int(time.monotonic() / TRUSTED_S)), make)
        tag = f'"{name}"'
        known = self._known(tag)
        headers = {"ETag": known or tag, "Cache-Control": FOR_EVER, "Vary": VARY}
        return Response(status_code=304, headers=headers) if known else self._sent(body, headers, JSON)

    def _known(self, tag: str) -> str | None:
        """Return the tag under which the reader has this content, None where it has not."""
        held = self.memory.bodies.get((*self._place, tag))
        return known_as(self._known_tags, tag, zipped=held is not None and self._zipped(held) is not None)

    def _tag(self, state: str, hashes: Iterable[str | None]) -> str:
        place = (*self._place, state)
        held = self.memory.tags.get(place)
        if held is None:
            held = _Tagged(tag_of(hashes), NAME_BYTES + sum(map(len, place)))
            self.memory.tags.keep(place, held)
        return held.tag

    async def _body(self, name: Hashable, make: Callable[[GraphStore], bytes]) -> Body:
        held = self.memory.bodies.get(name)
        if held is None:
            made = self.memory.makers.made(name, lambda: self._made(make))
            held = await unless_hung_up(self._request, made)
            self.memory.bodies.keep(name, held)
        return held

    def _made(self, make: Callable[[GraphStore], bytes]) -> Body:
        """Make an answer, in a thread; where it is part of a list, `make` has said where the other parts are."""
        text = make(self.memory.store())
        return Body.of(text, link=self._response.headers.get("link"))

    def _sent(self, body: Body, headers: dict[str, str], media_type: str) -> Response:
        """Return the bytes in the form the reader takes."""
        zipped = self._zipped(body)
        headers = headers if body.link is None else headers | {"Link": body.link}
        if zipped is None:
            return Response(body.plain, media_type=media_type, headers=headers)
        packed = headers | {"Content-Encoding": "gzip", "ETag": zipped_tag(headers["ETag"])}
        return Response(zipped, media_type=media_type, headers=packed)

    def _zipped(self, body: Body) -> bytes | None:
        """Return the packed form where there is one and the reader takes it."""
        takes = takes_gzip(self._request.headers.get("accept-encoding", ""))
        return body.zipped if takes else None


async def answering(request: Request, response: Response, if_none_match: KnownTags = None) -> Answering:
    """Return what answers a request."""
    return Answering(request, response, if_none_match)


Answers = Annotated[Answering, Depends(answering)]
