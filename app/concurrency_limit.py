"""How many requests of one kind may be under way at once, and who is next where more want to be."""

import asyncio
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager

from neuromfa.app.errors import TOO_MANY, Refused


class Seats:
    """A number of seats; a request takes one while it lasts, and is refused where all are taken.

    Parameters
    ----------
    most : number of seats
    what : what sits there, in the plural, for the sentence
    """

    def __init__(self, most: int, what: str) -> None:
        self._most, self._what = most, what
        self._taken, self._lock = 0, threading.Lock()

    def take(self) -> None:
        """Take a seat, or raise `Refused` when all are taken; whoever took one gives it back once."""
        with self._lock:
            if self._taken >= self._most:
                raise Refused(TOO_MANY, f"{self._most} {self._what} are under way already; try again")
            self._taken += 1

    def give_back(self) -> None:
        """Give a seat back."""
        with self._lock:
            self._taken -= 1

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a seat."""
        self.take()
        try:
            yield
        finally:
            self.give_back()


class Room:
    """A room for requests of one kind in the event loop: some are inside, some wait, clients take turns.

    Parameters
    ----------
    what : its requests, in the plural, for the sentence
    inside : most of them under way
    waiting : most of them that wait; more are refused
    a_client : most of one client, inside and waiting together, so that others always find room
    """

    def __init__(self, what: str, *, inside: int, waiting: int, a_client: int) -> None:
        self._what, self._most_inside, self._most = what, inside, inside + waiting
        self._a_client = a_client
        self._inside = 0
        self._present: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __len__(self) -> int:
        return self._present.total()

    async def enter(self, client: str) -> None:
        """Come in, if need be after some waiting; `Refused` where the room, or this client's part of it, is full."""
        if self._present[client] >= self._a_client or len(self) >= self._most:
            whose = "of yours " if self._present[client] >= self._a_client else ""
            raise Refused(TOO_MANY, f"{len(self)} {self._what} {whose}are under way or wait; try again")
        self._present[client] += 1
        if self._inside < self._most_inside:
            self._inside += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn had come
                self._inside -= 1
            self._gone(client)
            raise

    def leave(self, client: str) -> None:
        """Go out and let the next one in."""
        self._inside -= 1
        self._gone(client)

    def _gone(self, client: str) -> None:
        self._present[client] -= 1
        if not self._present[client]:
            del self._present[client]
        while self._waiting and self._inside < self._most_inside:
            self._admit()

    def _admit(self) -> None:
        """Let in the longest waiting request of the client whose turn it is."""
        client, turns = self._waiting.popitem(last=False)
        turn = turns.popleft()
        if turns:
            self._waiting[client] = turns
        if not turn.done():
            turn.set_result(None)
            self._inside += 1
