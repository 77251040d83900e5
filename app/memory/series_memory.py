"""What stands where in the series that are asked for, kept in memory and never older than the store.

Every request looks at the state of its model: one short query, shared by all requests that came before it was sent.
While that state is the one an index was made under, the index holds.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass

import anyio

from neuromfa.app.memory.held_answers import Held, Makers
from neuromfa.app.memory.record_memory import RecordMemory
from neuromfa.graph import GraphStore
from neuromfa.graph.stored_series import SeriesIndex
from neuromfa.model_id import check_model_id

SEEN = "neuromfa.states"
"""Where the scope of a request has the states of models that were looked at for it already, by model."""

INDEX_BYTES = 8 * 2**20
STEP_BYTES = 500
NOTHING_SEEN: Mapping[str, str | None] = {}


@dataclass(frozen=True, eq=False)
class _KeptIndex:
    index: SeriesIndex

    @property
    def n_bytes(self) -> int:
        """About how much it takes."""
        return STEP_BYTES * (4 + sum(map(len, self.index.steps.values())) + len(self.index.scores))


class _Look:
    """One question for the states of some models, and who waits for it."""

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()


class States:
    """States of models, each as it was after somebody asked for it; those who ask together share a query.

    Parameters
    ----------
    store : gives the open store
    """

    def __init__(self, store: Callable[[], GraphStore]) -> None:
        self._store = store
        self._next: _Look | None = None
        self._asking: asyncio.Task[None] | None = None
        self._room: anyio.CapacityLimiter | None = None

    async def of(self, model: str) -> str | None:
        """Return the state of a model, None where it is not there."""
        self._next = look = self._next or _Look()
        look.models.add(model)
        if self._asking is None:
            loop = asyncio.get_running_loop()
            self._asking = loop.create_task(self._ask(), context=Context())
        return (await asyncio.shield(look.answer)).get(model)

    async def _ask(self) -> None:
        """Ask until nobody waits; who comes while a query is under way waits for the next one."""
        self._room = self._room or anyio.CapacityLimiter(1)
        try:
            while self._next is not None:
                look, self._next = self._next, None
                await self._answer(look, self._room)
        finally:
            self._asking = None

    async def _answer(self, look: _Look, room: anyio.CapacityLimiter) -> None:
        try:
            found = await anyio.to_thread.run_sync(self._store().states, look.models, limiter=room)
        except Exception as error:  # noqa: BLE001  told to everyone who waits
            look.answer.set_exception(error)
            look.answer.exception()  # all of them may have hung up
        except BaseException:
            look.answer.cancel()
            raise
        else:
            look.answer.set_result(found)


class SeriesMemory:
    """Indexes of series, none older than the store was when it was asked for.

    Parameters
    ----------
    store : gives the open store

    Attributes
    ----------
    records : of steps, whole
    """

    def __init__(self, store: Callable[[], GraphStore]) -> None:
        self._store, self._states = store, States(store)
        self.records = RecordMemory()
        self._kept: Held[_KeptIndex] = Held(max_bytes=INDEX_BYTES)
        self._makers = Makers()

    async def states_of(self, models: Iterable[str]) -> dict[str, str | None]:
        """Return the states of models as they are now, None of one that is not there."""
        wanted = list(dict.fromkeys(models))
        if len(wanted) == 1:  # nearly always, and then there is nothing to gather
            return {wanted[0]: await self._states.of(wanted[0])}
        return dict(zip(wanted, await asyncio.gather(*map(self._states.of, wanted)), strict=True))

    async def of(self, model: str, *, seen: Mapping[str, str | None] = NOTHING_SEEN) -> SeriesIndex:
        """Return the index of a series; `NotStored` without it.

        Parameters
        ----------
        seen : states that were looked at for the same request
        """
        check_model_id(model)
        state = seen[model] if model in seen else await self._states.of(model)
        kept = self._kept.get(model)
        if kept is not None and state == kept.index.state:
            return kept.index
        if state is None:
            self._kept.drop(model)
        index = await self._makers.made((model, state), lambda: self._store().series_index(model))
        self._kept.keep(model, _KeptIndex(index))
        return index
