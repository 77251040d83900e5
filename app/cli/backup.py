"""`neuromfa backup`: all that a store holds, as one file."""

from pathlib import Path
from typing import Annotated

import typer

from neuromfa.app.cli.options import DataDir
from neuromfa.app.cli.output import Progress, console
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.graph.backup import save


def backup(
    file: Annotated[Path, typer.Argument(help="File to write, such as store.zip.")],
    data_dir: DataDir = None,
) -> None:
    """Write models, results, scores and graphs of the store into one file; jobs stay behind."""
    with open_store(load_settings(data_dir=data_dir)) as store, Progress("saving") as progress:
        graphs = save(store, file, progress=progress.update)
    console.print(f"wrote {file}: {graphs} graph{'' if graphs == 1 else 's'}")
