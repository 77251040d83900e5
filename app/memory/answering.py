"""Answers whose tag is known before anything of them is read: sent from memory, or made once for all who ask."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Response

from neuromfa.app.dependencies import Choice
from neuromfa.app.etags import KnownTags, tag_of, takes_gzip
from neuromfa.app.form_asked import FORM
from neuromfa.app.hung_up import unless_hung_up
from neuromfa.app.memory.curve_memory import Curve, CurveMemory
from neuromfa.app.memory.held_answers import Body, Held, Makers
from neuromfa.app.memory.known_answers import Known, Place, place_of
from neuromfa.app.memory.series_memory import SEEN, SeriesMemory
from neuromfa.app.table_forms import TableForm, file_name, media_type_of, table_form, tabled
from neuromfa.graph import GraphStore
from neuromfa.graph.stored_series import SeriesIndex, StoredStep

JSON = "application/json"
TRUSTED_S = 60.0
KNOWN_BYTES = 4 * 2**20
CURVES_BYTES = 2**20


class Memory:
    """All that one service keeps in memory of what it answered.

    Parameters
    ----------
    store : gives the open store
    max_bytes : bound on the answers themselves

    Attributes
    ----------
    series : what stands where
    bodies : answers by path, query and tag
    curves : what whole series say, by state and analysis
    points : of curves, of which answers show parts
    known : what stands at which address, as it was answered last
    makers, costly : make answers, and tables and comparisons apart from them: no short one waits for those
    """

    def __init__(self, store: Callable[[], GraphStore], *, max_bytes: int) -> None:
        self.store = store
        self.series = SeriesMemory(store)
        self.bodies: Held[Body] = Held(max_bytes=max_bytes)
        self.curves: Held[Curve] = Held(max_bytes=CURVES_BYTES)
        self.points = CurveMemory()
        self.known: Held[Known] = Held(max_bytes=KNOWN_BYTES)
        self.makers, self.costly = Makers(), Makers()

    def curve(self, store: GraphStore, index: SeriesIndex, options_hash: str) -> Curve:
        """Return what a whole series says, in a thread."""
        name = (index.state, options_hash)
        held = self.curves.get(name)
        if held is None:
            held = self.points.whole(store, index, options_hash)
            self.curves.keep(name, held)
        return held


class Answering:
    """The answer under way to one request."""

    def __init__(self, request: Request, response: Response, known_tags: str | None) -> None:
        self._request, self._response, self._known_tags = request, response, known_tags
        self.memory: Memory = request.app.state.memory
        self._place: Place = place_of(request.scope)

    async def series(self, model: str) -> SeriesIndex:
        """Return what stands where in a series, as it is in the store now."""
        return await self.memory.series.of(model, seen=self._request.scope.get(SEEN, {}))

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
        hashes : names of all that it shows
        make : reads and writes it, in a thread
        name : under which a file is saved
        """
        states = tuple((one.model, one.state) for one in of)
        scope, form = self._request.scope, table_form(self._request.scope)
        if form is not None:
            make, hashes = _tabled(make, scope["route"].rows, form), [*hashes, form]
            media_type, name = media_type_of(form), file_name(scope, form)
        known = Known(
            scope["route"],
            self._place,
            tag_of(hashes),
            media_type,
            name,
            states=states,
            by_form=FORM in scope,
        )
        return await self._answered(known, make)

    async def immutable(self, name: str, make: Callable[[GraphStore], bytes]) -> Response:
        """Return an answer that never changes under its address; memory vouches for it for `TRUSTED_S`."""
        until = TRUSTED_S * (1 + time.monotonic() // TRUSTED_S)
        return await self._answered(
            Known(self._request.scope["route"], self._place, f'"{name}"', JSON, until=until), make
        )

    async def _answered(self, known: Known, make: Callable[[GraphStore], bytes]) -> Response:
        """Answer, and remember how: the next who asks need not come as far as here."""
        held = self.memory.bodies.get(known.body)
        answer = known.answer(held, self._request.headers, self._known_tags)
        if answer is None:
            zipped = takes_gzip(self._request.headers.get("accept-encoding", ""))
            made = self._makers().made((known.body, zipped), lambda: self._made(make, held, zipped=zipped))
            whole = await unless_hung_up(self._request, made)
            self.memory.bodies.keep(known.body, whole)
            answer = known.answer(whole, self._request.headers, None)
            assert answer is not None, "what was made is sent"
        self.memory.known.keep(known.place, known)
        return answer

    def _makers(self) -> Makers:
        scope = self._request.scope
        is_costly = scope["route"].kind == "table" or table_form(scope) is not None
        return self.memory.costly if is_costly else self.memory.makers

    def _made(self, make: Callable[[GraphStore], bytes], held: Body | None, *, zipped: bool) -> Body:
        """Make an answer, or a held one's other form, in a thread; `make` has said where the parts of a list are."""
        if held is not None:
            return held.with_form(zipped=zipped)
        text = make(self.memory.store())
        return Body.of(text, link=self._response.headers.get("link")).only(zipped=zipped)


def _tabled(make: Callable[[GraphStore], bytes], rows: str, form: TableForm) -> Callable[[GraphStore], bytes]:
    """Return what makes a table of an answer."""
    return lambda store: tabled(make(store), rows, form)


async def answering(request: Request, response: Response, if_none_match: KnownTags = None) -> Answering:
    """Return what answers a request."""
    return Answering(request, response, if_none_match)


Answers = Annotated[Answering, Depends(answering)]
