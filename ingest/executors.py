"""Where the work of an ingest runs: in this process, in local processes, or on a Dask cluster.

Every one of them is a `UnitExecutor`, so the pipeline knows only that.
"""

import os
import pickle
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any, TypeVar

from neuromfa import extras
from neuromfa.carry import UNITS_A_WORKER, UnitExecutor
from neuromfa.errors import JobError, OptionError

Answer = TypeVar("Answer")

PARENT_S = 1.0


class InlineExecutor(UnitExecutor):
    """Runs each call at once, in the calling thread; its exceptions look the same as those of a real pool."""

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Run the call and return a future that is already done."""
        future: Future[Answer] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class LocalProcesses(UnitExecutor):
    """Processes on this machine; when one dies all are started anew.

    Parameters
    ----------
    processes : how many
    folder : of this run alone, where what all units need is kept for the processes to read
    """

    def __init__(self, processes: int, folder: Path) -> None:
        self.window = UNITS_A_WORKER * processes
        self._processes, self._folder, self._kept = processes, folder, 0
        self._pool = self._started()

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Put a call under way in one of the processes."""
        return self._pool.submit(fn, *args, **kwargs)

    def hold(self, value: Any) -> "Filed":
        """Write a value into a file that each process reads once."""
        self._kept += 1
        path = self._folder / f"held{self._kept}"
        path.write_bytes(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))
        return Filed(path)

    def release(self, held: "Filed") -> None:
        """Remove the file of a value."""
        held.path.unlink(missing_ok=True)

    def renew(self) -> None:
        """Start all processes anew."""
        self.shutdown()
        self._pool = self._started()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """End the processes at once; what they have under way is lost.

        They are not asked to end: one that was killed while it waited for its next call keeps the lock of the queue,
        and the others would wait for that lock for ever, and this process for them.
        """
        self._children.kill()
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _started(self) -> ProcessPoolExecutor:
        self._children = _Children()
        return ProcessPoolExecutor(
            self._processes, mp_context=self._children, initializer=_end_with, initargs=(os.getpid(),)
        )


def _end_with(parent: int) -> None:
    """End this process soon after its parent, which may be killed and then tells nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class _Children(SpawnContext):
    """Starts processes and remembers them; spawned ones, since a forked one inherits sockets and locks of the store."""

    def __init__(self) -> None:
        super().__init__()
        self._started: list[SpawnProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        """Make a process, as the pool asks for it."""
        self._started.append(SpawnProcess(*args, **kwargs))
        return self._started[-1]

    def kill(self) -> None:
        """Kill every process that was started."""
        for process in self._started:
            if process.pid is not None:
                process.kill()


@dataclass(frozen=True)
class Filed:
    """Stands for a value that lies in a file."""

    path: Path

    def fetch(self) -> Any:
        """Return the value, read from the file when this process asks for the first time."""
        return _unpickled(self.path)


@lru_cache(maxsize=1)
def _unpickled(path: Path) -> Any:
    return pickle.loads(path.read_bytes())  # noqa: S301  written by this run into a folder of its own


class DaskWorkers(UnitExecutor):
    """The workers of a Dask cluster, which starts those that die again by itself.

    Parameters
    ----------
    client : connected to its scheduler
    """

    def __init__(self, client: Any) -> None:
        self._client, self._executor = client, client.get_executor(pure=False)

    @property
    def window(self) -> int:  # type: ignore[override]
        """Two units for each thread that the cluster has at this moment."""
        threads: int = sum(self._client.nthreads().values())
        return UNITS_A_WORKER * max(1, threads)

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Put a call under way on one of the workers."""
        future: Future[Answer] = self._executor.submit(fn, *args, **kwargs)
        return future

    def hold(self, value: Any) -> Any:
        """Send a value to every worker; the scheduler puts it in the place of what is returned."""
        try:
            return self._client.scatter(value, broadcast=True, hash=False)
        except (OSError, TimeoutError) as error:
            raise JobError(f"the Dask cluster has no worker that answers: {error}") from None

    def release(self, held: Any) -> None:
        """Let the workers forget a value."""
        held.release()


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
        with tempfile.TemporaryDirectory(prefix="neuromfa-") as folder:
            pool = LocalProcesses(jobs, Path(folder))
            try:
                yield pool
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def _dask_executor(address: str) -> Iterator[Executor]:
    distributed = extras.load("distributed", what="a Dask cluster")
    try:
        client = distributed.Client(address, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise JobError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        yield DaskWorkers(client)
