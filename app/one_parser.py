"""Source is parsed by one thread at a time.

Before Python 3.13 two threads that parse at once can fail (`SystemError: AST constructor recursion depth mismatch`),
and `inspect` parses wherever a record's texts or the signature of a function in C is looked at: in a service, at the
first request of each route, in whichever thread that is.
"""

import ast
import sys
from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any

SAFE_SINCE = (3, 13)


def parse_in_turn() -> None:
    """Make `ast.parse` of this process wait for its turn, where Python needs that; harmless when done twice."""
    if sys.version_info < SAFE_SINCE and not hasattr(ast.parse, "__wrapped__"):
        ast.parse = in_turn(ast.parse)


def in_turn(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does the same, in one thread at a time."""
    turn = RLock()

    @wraps(work)
    def waiting(*given: Any, **words: Any) -> Any:
        with turn:
            return work(*given, **words)

    return waiting
