"""Python's search for circles of garbage, kept from what stays as long as the process does."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_nothing() -> Iterator[None]:
    """Look for no garbage in a block that makes much and drops little, such as imports: a sixth of their time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def leave_what_is_there() -> None:
    """Never look again at what there is now: a look through all of it would hold up every request under way."""
    gc.freeze()
