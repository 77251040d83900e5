"""`neuromfa restore`: a store from the file that `neuromfa backup` wrote, on either server."""

from pathlib import Path
from typing import Annotated

import typer

from neuromfa.app.cli.options import DataDir
from neuromfa.app.cli.output import Progress, console
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.graph.backup import restore as restore_store


def restore(
    file: Annotated[Path, typer.Argument(help="File that `neuromfa backup` wrote.")],
    data_dir: DataDir = None,
) -> None:
    """Put the content of a backup into a store that has none of its models; graphs are proved by their checksums."""
    with open_store(load_settings(data_dir=data_dir)) as store, Progress("restoring") as progress:
        graphs = restore_store(store, file, progress=progress.update)
    console.print(f"restored {file}: {graphs} graph{'' if graphs == 1 else 's'}")
