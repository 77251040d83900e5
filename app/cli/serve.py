"""`neuromfa serve`: the API and the page."""

from typing import Annotated

import typer

from neuromfa.app.cli.options import DataDir
from neuromfa.app.cli.output import messages
from neuromfa.app.server import run
from neuromfa.app.settings import load_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [NEUROMFA_HOST].")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, 0 for a free one [NEUROMFA_PORT].")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve REST and the page until Ctrl-C."""
    settings = load_settings(host=host, port=port, data_dir=data_dir)
    run(settings, ready=lambda address: messages.print(f"serving {address}  (REST: {address}/docs)"))
