"""A process of its own for each query of a user's: it may take only so much memory and can be ended at any moment.

The driver takes every record whole, however large a server makes it (`RETURN range(1, 1000000000)` is one), and a
single long expression is not interruptible on the server. Neither must take the service with it.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuromfa import errors
from neuromfa.errors import NeuroMFAError, QueryRefused, QueryTimeout, QueryTooLarge, StoreError
from neuromfa.graph.connection import Connection, ReadAccess
from neuromfa.graph.limits import Limits
from neuromfa.graph.user_cypher.check_text import check_text
from neuromfa.graph.user_cypher.run import Bounds, FreeQuery, Table, ask
from neuromfa.graph.user_cypher.to_json import check_parameters

COMMAND = (sys.executable, "-P", "-m", "neuromfa.graph.user_cypher.child_process")
GRACE_S = 15.0
LOOK_S = 0.2
STATM = Path("/proc/self/statm")
GIVEN_UP = "the query was given up before it was answered"
TOO_LARGE = "the answer, or one row of it, is larger than may be held; return less"


def ask_apart(
    access: ReadAccess, query: FreeQuery, bounds: Bounds, *, given_up: Callable[[], bool] = lambda: False
) -> Table:
    """Run a query that can only read, in a process of its own.

    Parameters
    ----------
    access : of the database, with the rights of reads
    given_up : asked again and again; True ends the query

    Raises
    ------
    QueryRefused : it wants more than to read the graph, or the server cannot understand it
    QueryTimeout : it took longer than it may, or was given up
    QueryTooLarge : it, or its answer, takes more memory than it may
    """
    check_text(query.text)
    check_parameters(query.parameters)
    order = {"access": asdict(access), "query": asdict(query), "bounds": asdict(bounds)}
    said = _run(json.dumps(order), seconds=bounds.seconds + GRACE_S, given_up=given_up)
    if "table" in said:
        return Table(**said["table"])
    kind = getattr(errors, said["kind"], StoreError)
    raise kind(said["message"])


def _run(order: str, *, seconds: float, given_up: Callable[[], bool]) -> dict[str, Any]:
    """Start the process and return its word; it has ended when this returns or raises."""
    with subprocess.Popen(  # noqa: S603  our own module, no shell
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            said = _wait(process, order, until=time.monotonic() + seconds, given_up=given_up)
        finally:
            process.kill()
    return _read(said, process.returncode)


def _wait(process: subprocess.Popen[str], order: str, *, until: float, given_up: Callable[[], bool]) -> str:
    """Give the order and return what is said; `QueryTimeout` when it is late or nobody waits any more."""
    unsent: str | None = order
    while not given_up() and time.monotonic() < until:
        try:
            return process.communicate(unsent, timeout=LOOK_S)[0]
        except subprocess.TimeoutExpired:
            unsent = None
    raise QueryTimeout(GIVEN_UP)


def _read(said: str, code: int) -> dict[str, Any]:
    """Return what the process said; one that ended without a word was out of memory, or out of time."""
    if code == -signal.SIGALRM:
        raise QueryTimeout(GIVEN_UP)
    try:
        return dict(json.loads(said))
    except ValueError:
        raise QueryTooLarge(TOO_LARGE) from None


def main() -> None:
    """Answer one order from standard input, then leave at once, whatever the server still has to say."""
    order = json.load(sys.stdin)
    bounds = Bounds(**order["bounds"])
    signal.alarm(int(bounds.seconds + GRACE_S) + 1)  # should the one who asked be gone
    _bound_memory(bounds.memory)
    sys.stdout.write(json.dumps(_answer(ReadAccess(**order["access"]), FreeQuery(**order["query"]), bounds)))
    sys.stdout.flush()
    os._exit(0)


def _answer(access: ReadAccess, query: FreeQuery, bounds: Bounds) -> dict[str, Any]:
    limits = Limits(query_s=bounds.seconds, longest_query_s=bounds.seconds)
    user = (access.user, access.password)
    try:
        connection = Connection(access.uri, writer=user, reader=None, database=access.database, limits=limits)
        return {"table": asdict(ask(connection, query, bounds))}
    except MemoryError:
        return {"kind": QueryTooLarge.__name__, "message": TOO_LARGE}
    except RecursionError:
        return {"kind": QueryRefused.__name__, "message": "the answer is nested too deep"}
    except NeuroMFAError as error:
        return {"kind": type(error).__name__, "message": str(error)}


def _bound_memory(allowed: int) -> None:
    """Take no more than so many bytes from here on; where a system cannot tell, only the other bounds hold."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(STATM.read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + allowed,) * 2)


if __name__ == "__main__":
    main()
