"""`neuromfa worker`: runs the ingest jobs that `ingest --detach` queued."""

import os
import signal
import threading
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from neuromfa.app.cli.options import DataDir, Jobs
from neuromfa.app.cli.output import messages
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.worker import work


def worker(
    jobs: Jobs = 1,
    dask: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler to measure on (extra dask).")
    ] = None,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="End when no job waits.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Run queued ingest jobs, one after the other, until Ctrl-C; the checkpoint under way is finished first."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    settings = load_settings(data_dir=data_dir)
    with (
        open_store(settings) as store,
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


def write_alive(path: Path | None, seconds: float) -> None:
    """Write until when this worker counts as alive; whoever reads meets the old moment or the new one."""
    if path is not None:
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(f"{time.time() + seconds:.0f}\n")
        part.replace(path)
