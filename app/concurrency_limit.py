"""How many of one kind of request may be under way at once."""

import threading
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

    def check(self) -> None:
        """Raise `Refused` when all are taken."""
        if self._taken >= self._most:
            raise Refused(TOO_MANY, f"{self._most} {self._what} are under way already; try again")

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a seat."""
        with self._lock:
            self.check()
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1
