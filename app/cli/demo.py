"""`neuromfa demo`: the bundled series in an embedded store, measured while the page is already open."""

import threading
from importlib import resources
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from neuromfa.app.cli.ingest import told
from neuromfa.app.cli.options import DataDir
from neuromfa.app.cli.output import Progress, messages
from neuromfa.app.open_store import open_store
from neuromfa.app.server import run
from neuromfa.app.settings import Settings, load_settings
from neuromfa.errors import CheckpointMissing, NeuroMFAError
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from neuromfa.score_files import read_scores

SCORES = "scores.csv"
SMALL_SERIES = "stdlib-14m-2-blocks"
SERIES = ("stdlib-14m", "stdlib-14m-decay1", "stdlib-14m-shuffled")


def demo(
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, 0 for a free one [NEUROMFA_PORT].")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the bundled series from an embedded store; ingest first what is not in it yet."""
    settings = load_settings(port=port, data_dir=data_dir)
    work = _Ingest(settings, series_to_show())
    try:
        run(settings, ready=work.start)
    finally:
        work.stop()


def bundled_series(name: str) -> Path:
    """Return the folder of a series of the clone this program, or the present folder, is in."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (root / "series" / name).is_dir():
            return root / "series" / name
    raise CheckpointMissing(
        f"the bundled series {name} is only in a clone of the project: run this from there"
    )


def series_to_show() -> list[Path]:
    """Return the three series of a clone; without one, the small series that every installation has."""
    try:
        return [bundled_series(name) for name in SERIES]
    except CheckpointMissing:
        return [Path(str(resources.files("neuromfa"))) / "data" / "series" / SMALL_SERIES]


def first_page(folders: list[Path]) -> str:
    """Return the address where the demo begins: the main run beside its controls, or the only series there is."""
    if len(folders) == 1:
        return f"models/{folders[0].name}"
    return f"compare?{urlencode([('models', folder.name) for folder in folders])}"


class _Ingest:
    """The ingest beside the running service: a thread that ends between two checkpoints when asked to."""

    def __init__(self, settings: Settings, folders: list[Path]) -> None:
        self._settings, self._folders = settings, folders
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest")

    def start(self, address: str) -> None:
        """Say where the service is and begin."""
        messages.print(f"page {address}   REST {address}/docs   (Ctrl-C stops both)")
        messages.print(f"begin at {address}/{first_page(self._folders)}", soft_wrap=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end and wait for it; the checkpoint under way is finished first."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            with open_store(self._settings) as store:
                for folder in self._folders:
                    if self._stopped.is_set():
                        return
                    request = IngestRequest(source=str(folder), options=AnalysisOptions(), same_run=True)
                    with Progress(folder.name) as progress:
                        summary = ingest(request, store, report=progress.update, stop=self._stopped.is_set)
                    messages.print(told(summary))
                    if (folder / SCORES).exists():
                        store.write_scores(summary.model, read_scores(folder / SCORES, model=summary.model))
        except NeuroMFAError as error:
            messages.print(f"neuromfa: {error}", style="red")
