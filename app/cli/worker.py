"""`neuromfa worker`: takes units of the ingest jobs that `ingest --detach` queued."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from neuromfa.app.cli.main import EXIT_FAILED
from neuromfa.app.cli.options import DataDir, Jobs
from neuromfa.app.cli.output import messages
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.errors import StoreError
from neuromfa.graph import GraphStore
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.worker import work

LOOK_S = 0.5
ANSWER_S = 6.0


def worker(
    jobs: Jobs = 1,
    dask: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler to measure on (extra dask).")
    ] = None,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when no job waits.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Take units of queued jobs until Ctrl-C; the checkpoint under way is finished first."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    settings = load_settings(data_dir=data_dir)
    with (
        open_store(settings) as store,
        _not_waiting_for(store, stopped),
        open_executor(jobs=jobs, dask=dask) as executor,
    ):
        messages.print(f"worker at {store.address}, waiting for jobs")
        ended = work(
            store,
            executor=executor,
            stop=stopped.is_set,
            until_empty=until_empty,
            tell=messages.print,
            alive=partial(write_alive, settings.worker_alive_file),
        )
    messages.print(f"worker ended after {ended} job{'' if ended == 1 else 's'}")


@contextmanager
def _not_waiting_for(store: GraphStore, stopped: threading.Event) -> Iterator[None]:
    """End this process, once it was told to stop, where the store does not answer; what it had is free by its lease.

    A call that hangs cannot be ended from within, and may last for minutes.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_S):
            if stopped.is_set() and not _answers(store) and not over.is_set():
                messages.print(
                    f"the store at {store.address} does not answer, so this worker ends without it"
                )
                os._exit(EXIT_FAILED)

    threading.Thread(target=watch, name="store that hangs", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _answers(store: GraphStore) -> bool:
    """Tell whether the store answers in time, from a thread that may hang longer than any limit of a query."""
    answered = threading.Event()

    def ask() -> None:
        with suppress(StoreError):
            store.ping()
            answered.set()

    threading.Thread(target=ask, name="does it answer", daemon=True).start()
    return answered.wait(ANSWER_S)


def write_alive(path: Path | None, seconds: float) -> None:
    """Write until when this worker counts as alive; whoever reads meets the old moment or the new one."""
    if path is not None:
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(f"{time.time() + seconds:.0f}\n")
        part.replace(path)
