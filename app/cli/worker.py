"""`neuromfa worker`: runs the ingest jobs that `ingest --detach` queued."""

import signal
import threading
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
    with (
        open_store(load_settings(data_dir=data_dir)) as store,
        open_executor(jobs=jobs, dask=dask) as executor,
    ):
        messages.print(f"worker at {store.address}, waiting for jobs")
        ended = work(
            store, executor=executor, stop=stopped.is_set, until_empty=until_empty, tell=messages.print
        )
    messages.print(f"worker ended after {ended} job{'' if ended == 1 else 's'}")
