"""What was made once and is the same for all who ask: kept within bounds, and made by one of those who want it."""

import asyncio
import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import anyio

from neuromfa.graph.given_up import Asker, asking

T = TypeVar("T")

MADE_AT_ONCE = 2
WORTH_ZIPPING = 1000
ZIP_LEVEL = 5
NAME_BYTES = 600


class Sized(Protocol):
    """Something whose room is known."""

    @property
    def n_bytes(self) -> int:
        """Bytes it takes."""
        ...


S = TypeVar("S", bound=Sized)


@dataclass(frozen=True, eq=False)
class Body:
    """The bytes of an answer, in one or both of the forms in which they are sent.

    Attributes
    ----------
    plain, zipped : None where nobody asked for that form yet
    is_large : it is worth packing
    link : where the other parts of its list are
    """

    plain: bytes | None
    zipped: bytes | None = None
    is_large: bool = False
    link: str | None = None

    @classmethod
    def of(cls, plain: bytes, *, link: str | None = None) -> "Body":
        """Take a text as it was made."""
        return cls(plain, None, len(plain) >= WORTH_ZIPPING, link)

    def form(self, *, zipped: bool) -> bytes | None:
        """Return the packed form, or the plain one; None where it is not here."""
        return self.zipped if zipped and self.is_large else self.plain

    def with_form(self, *, zipped: bool) -> "Body":
        """Return it with one more form; takes some milliseconds for each megabyte."""
        if self.form(zipped=zipped) is not None:
            return self
        if self.plain is not None:
            return replace(self, zipped=gzip.compress(self.plain, ZIP_LEVEL, mtime=0))
        assert self.zipped is not None, "a body has one form at least"
        return replace(self, plain=gzip.decompress(self.zipped))

    def only(self, *, zipped: bool) -> "Body":
        """Return it in one form, which takes less room."""
        whole = self.with_form(zipped=zipped)
        return replace(whole, plain=None) if zipped and self.is_large else replace(whole, zipped=None)

    @property
    def n_bytes(self) -> int:
        """Bytes of the forms that are here, and of the name."""
        return NAME_BYTES + len(self.plain or b"") + len(self.zipped or b"")


class Held(Generic[S]):
    """Things by their names, the longest unused dropped first; for the event loop and for threads.

    Parameters
    ----------
    max_bytes : bound on all of them together; what is larger than that is not kept
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes, self.n_bytes = max_bytes, 0
        self._kept: OrderedDict[Hashable, S] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: Hashable) -> S | None:
        """Return what is kept under a name, or None."""
        with self._lock:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
            return found

    def keep(self, name: Hashable, thing: S) -> None:
        """Keep something."""
        self.drop(name)
        if thing.n_bytes > self.max_bytes:
            return
        with self._lock:
            self._kept[name] = thing
            self.n_bytes += thing.n_bytes
            while self.n_bytes > self.max_bytes:
                _, dropped = self._kept.popitem(last=False)
                self.n_bytes -= dropped.n_bytes

    def drop(self, name: Hashable) -> None:
        """Let go of what is kept under a name."""
        with self._lock:
            dropped = self._kept.pop(name, None)
            self.n_bytes -= dropped.n_bytes if dropped is not None else 0

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()
            self.n_bytes = 0


@dataclass
class Makers:
    """Makes what several want at once only once, in a few threads of its own, until the last of them has left.

    Attributes
    ----------
    at_once : how many things are made at a time
    """

    at_once: int = MADE_AT_ONCE
    _under_way: dict[Hashable, "_Made"] = field(default_factory=dict)
    _room: anyio.CapacityLimiter | None = None

    async def made(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returns; of those who want the same name at once, one makes it for all."""
        under_way = self._under_way.get(name)
        if under_way is None:
            under_way = self._under_way[name] = self._begun(name, make)
        under_way.waiting += 1
        try:
            result: T = await asyncio.shield(under_way.task)
            return result
        finally:
            under_way.waiting -= 1
            if not under_way.waiting and not under_way.task.done():
                under_way.asker.give_up()
                self._under_way.pop(name, None)

    def _begun(self, name: Hashable, make: Callable[[], Any]) -> "_Made":
        # in a context of its own: this is for all who wait, and may outlive the first of them
        asker, context = Asker(), Context()
        context.run(asking.set, asker)
        made = _Made(asyncio.get_running_loop().create_task(self._run(make), context=context), asker)
        made.task.add_done_callback(lambda _: self._ended(name, made))
        return made

    async def _run(self, make: Callable[[], T]) -> T:
        self._room = self._room or anyio.CapacityLimiter(self.at_once)
        return await anyio.to_thread.run_sync(make, limiter=self._room)

    def _ended(self, name: Hashable, made: "_Made") -> None:
        if self._under_way.get(name) is made:
            del self._under_way[name]
        if not made.task.cancelled():
            made.task.exception()  # whoever waited was told; where nobody does any more, nobody need be


@dataclass(eq=False)
class _Made:
    """Something that is being made, and how many wait for it."""

    task: "asyncio.Task[Any]"
    asker: Asker
    waiting: int = 0
