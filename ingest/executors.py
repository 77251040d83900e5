"""Where the work of an ingest runs: in this process, in local processes, or on a Dask cluster.

Every one of them is a `concurrent.futures.Executor`, so the pipeline knows only that.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from neuromfa import extras
from neuromfa.errors import JobError, OptionError

Answer = TypeVar("Answer")


class InlineExecutor(Executor):
    """Runs each call at once, in the calling thread; its exceptions look the same as those of a real pool."""

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Run the call and return a future that is already done."""
        future: Future[Answer] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def open_executor(*, jobs: int = 1, dask: str | None = None) -> Iterator[Executor]:
    """Give an executor for the duration of a block.

    Parameters
    ----------
    jobs : local processes; 1 works in this process
    dask : address of a Dask scheduler, such as ``tcp://host:8786``; wins over `jobs`

    Raises
    ------
    OptionError : jobs below 1
    MissingExtra : dask is not installed
    JobError : its scheduler cannot be reached
    """
    if dask is not None:
        with _dask_executor(dask) as executor:
            yield executor
    elif jobs < 1:
        raise OptionError(f"jobs is 1 or more, not {jobs}")
    elif jobs == 1:
        yield InlineExecutor()
    else:
        # spawn: a forked child would inherit the driver's sockets and the store's locks
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                yield pool
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise


@contextmanager
def _dask_executor(address: str) -> Iterator[Executor]:
    distributed = extras.load("distributed", what="a Dask cluster")
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise JobError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        yield client.get_executor()
