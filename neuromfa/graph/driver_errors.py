"""What the driver raises, turned into our errors: with the address, and what to do."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    ConstraintError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from neuromfa.errors import NotStored, QueryRefused, QueryTimeout, StoreConflict, StoreError, StoreUnavailable
from neuromfa.graph.dialects import Dialect

UNEXPECTED = "50N42"
DATABASE_DOWN = "Neo.TransientError.Database.DatabaseUnavailable"
FULL_DISK = (
    "No space left on device",
    "not enough space",
    "Disk quota exceeded",
    "Could not append transaction",
)
STOPPED = "needs to be restarted"
FULL_BYTES = 32_000_000
"""Less than this is taken for a full disk where a write has just failed: a server writes in pieces of several MB."""


@contextmanager
def told_of_full_disk(folder: Path | None) -> Iterator[None]:
    """Say of a write that failed that the disk is full, where that is so: servers tell of it in words of their own.

    Parameters
    ----------
    folder : of a server on this machine; None asks what the server said only
    """
    try:
        yield
    except (StoreConflict, QueryTimeout, QueryRefused, NotStored):
        raise
    except StoreError as error:
        free = shutil.disk_usage(folder).free if folder is not None else FULL_BYTES
        if free >= FULL_BYTES and not any(words in told for words in FULL_DISK for told in _all_told(error)):
            raise
        where = f" ({folder}: {free / 1e6:.0f} MB left)" if folder is not None else ""
        restart = ", restart the server" if folder is None else ""
        raise type(error)(
            f"the disk of the store{where} is full: make room{restart} and give the same command again, which "
            f"completes what is half written ({_first_line(error)})"
        ) from error


def _all_told(error: BaseException | None) -> Iterator[str]:
    """Yield what an error and those behind it say."""
    while error is not None:
        yield str(error)
        error = error.__cause__


def _unasked() -> None:
    """Tell nothing of what answers at an address."""


@contextmanager
def mapped(
    uri: str,
    *,
    dialect: Dialect | None = None,
    limit: float | None = None,
    answers: Callable[[], str | None] = _unasked,
) -> Iterator[None]:
    """Turn what the driver raises into our errors, with the address and what to do.

    Parameters
    ----------
    answers : tells what listens at the address, asked where no store answers
    """
    try:
        yield
    except AuthError as error:
        raise StoreUnavailable(
            f"the store at {uri} refuses this user or password; check NEUROMFA_NEO4J_USER and "
            "NEUROMFA_NEO4J_PASSWORD (a server keeps the password of its first start: an old data volume has "
            "its old one)"
        ) from error
    except (ServiceUnavailable, SessionExpired, OSError) as error:
        raise StoreUnavailable(
            f"the store at {uri} does not answer ({answers() or _first_line(error)}); start it, or set "
            "NEUROMFA_NEO4J_URI"
        ) from error
    except ConstraintError as error:
        raise StoreConflict(
            f"somebody else has just written the same thing ({_first_line(error)})"
        ) from error
    except Neo4jError as error:
        raise _mapped_answer(error, uri, dialect, limit) from error
    except (ConfigurationError, ValueError) as error:
        raise StoreUnavailable(f"{uri!r} is no usable address of a store ({_first_line(error)})") from error
    except DriverError as error:
        raise StoreUnavailable(f"the connection to {uri} failed ({_first_line(error)}); try again") from error


def _mapped_answer(error: Neo4jError, uri: str, dialect: Dialect | None, limit: float | None) -> StoreError:
    """Return our error for what a server answered."""
    code = error.code or ""
    if dialect is not None and code in dialect.timeout_codes:
        return QueryTimeout(
            f"the query took longer than its limit of {limit:g} s; ask for less, or raise the limit"
        )
    if dialect is not None and code in dialect.refused_codes:
        return QueryRefused(f"this may only read: the server refused to write ({_first_line(error)})")
    if STOPPED in _first_line(error):
        return StoreUnavailable(
            f"the database at {uri} stopped after an error of its own, as when its disk was full; see its log, make "
            "room, and restart it"
        )
    if code == DATABASE_DOWN:
        return StoreUnavailable(f"the database at {uri} is not available ({_first_line(error)}); try again")
    return StoreError(f"the store at {uri} answers {code}: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    text = getattr(error, "message", None)
    # what the driver says of most faults of its own in the words of the standard tells nothing
    if not text or str(text).startswith(UNEXPECTED):
        text = str(error) or type(error).__name__
    return str(text).splitlines()[0][:300]
