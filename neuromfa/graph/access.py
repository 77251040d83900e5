"""What every part of the store stands on: reading and writing through one connection, queries by name."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from neuromfa.errors import OptionError
from neuromfa.graph.connection import Connection, Row, Transaction
from neuromfa.graph.cypher_files import query
from neuromfa.graph.model_states import touch

T = TypeVar("T")

LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a list; `next` is the cursor of the following part, or None."""

    items: list[T]
    next: str | None


def each(page: Callable[..., Page[T]]) -> Iterator[T]:
    """Yield the items of all pages; `page` takes a cursor."""
    cursor: str | None = None
    while True:
        part = page(cursor=cursor)
        yield from part.items
        if part.next is None:
            return
        cursor = part.next


def page_size(limit: int) -> int:
    """Return a page's size; `OptionError` outside 1..`LARGEST_PAGE`."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise OptionError(f"limit is 1..{LARGEST_PAGE}, not {limit}")
    return limit


class StoreAccess:
    """Reading and writing through one connection.

    Parameters
    ----------
    connection : to the server
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, work: Callable[[Transaction], T], *, timeout_s: float | None = None) -> T:
        """Run a unit of reading; the server refuses whatever else it tries."""
        return self._connection.read(work, timeout_s=timeout_s)

    def rows(self, name: str, **parameters: Any) -> list[Row]:
        """Run one reading query by name, by one message there and back: a transaction of its own has three."""
        return self._connection.look(name, **parameters)

    def row(self, name: str, **parameters: Any) -> Row | None:
        """Return the first row of one reading query by name, or None."""
        rows = self.rows(name, **parameters)
        return rows[0] if rows else None

    def write(self, work: Callable[[Transaction], T], *, changes: str | None = None) -> T:
        """Run a unit of writing that is harmless when run twice.

        Parameters
        ----------
        changes : id of the model whose series it changes; whoever holds something of that sees it by its new state
        """
        if changes is None:
            return self._connection.write(work)

        def both(transaction: Transaction) -> T:
            done = work(transaction)
            touch(transaction, changes)
            return done

        return self._connection.write(both)

    def fenced(self, fence: Callable[[Transaction], None]) -> AbstractContextManager[None]:
        """Run a fence inside every write that this thread makes in a block; it raises where none may be made."""
        return self._connection.fenced(fence)

    def query(
        self, name: str, parameters: dict[str, Any], *, timeout_s: float | None = None
    ) -> list[dict[str, Any]]:
        """Run a query of ``cypher/read`` by name, such as ``models``, behind the barrier against writes."""
        found = query(f"read/{name}")
        missing = sorted(set(found.parameters) - set(parameters))
        unknown = sorted(set(parameters) - set(found.parameters))
        if missing or unknown:
            takes = ", ".join(found.parameters) or "none"
            raise OptionError(
                f"query {name} takes the parameters {takes}; missing {missing}, unknown {unknown}"
            )
        return self.read(lambda transaction: transaction.rows_of(found.text, parameters), timeout_s=timeout_s)
