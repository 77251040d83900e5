"""Places from which the threads of a process take their memory."""

import ctypes
import sys

M_ARENA_MAX, ARENAS = -8, 2


def few_arenas() -> None:
    """Let all threads take their memory from two places, where the C library is glibc.

    By itself it keeps one for each thread, and in each what was the most that the thread ever needed.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
