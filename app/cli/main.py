"""The command line: one line per command, one place where errors become a sentence and an exit code.

To list the commands none of their modules is imported: `neuromfa --help` answers at once, and a command whose extra is
not installed stands in the way of no other.
"""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from neuromfa import __version__, extras
from neuromfa.errors import NeuroMFAError, OptionError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

COMMANDS = {
    "analyze": "Measure a series of checkpoints: spectra, alpha0, width and E with nulls and intervals beside them.",
    "compare": "Compare series (or what `analyze --json` wrote): which hold structure beyond scale, and which differ.",
    "report": "Write a report of series (or of `analyze --json` files): one HTML file that stands alone, and its JSON.",
    "ingest": "Measure a series and write its spectra and the graphs of its first samples into the store.",
    "worker": "Take units of queued jobs until Ctrl-C; the checkpoint under way is finished first.",
    "jobs": "List the jobs, the newest first, or show, follow, cancel or retry one of them.",
    "serve": "Serve REST and the page until Ctrl-C.",
    "demo": "Serve the bundled series from an embedded store; ingest first what is not in it yet.",
    "browser": "Run a Neo4j with the bundled series, and the Neo4j Browser with style, saved queries and a guide.",
    "query": "Ask a question to a stored graph: a shortest path, a ball, boxes ..., or run a query of cypher/read.",
    "scores": "Put benchmark scores onto stored checkpoints, then show how E, alpha0 and width go along with them.",
    "export": "Write a model's results, or the graph of one of its samples, to a file.",
    "delete": "Delete a model, one of its steps, or one graph, with all that no other has; it asks before.",
    "verify": "Measure a model again from its stored graphs and compare with the numbers that are stored.",
    "backup": "Write models, results, scores and graphs of the store into one file; jobs stay behind.",
    "restore": "Put the content of a backup into a store that has none of its models; graphs are proved by "
    "their checksums.",
    "architectures": "List the architectures that can be read, or try which one fits a model (--try).",
    "doctor": "Show versions, whether the store answers, its schema, disk, and what is missing with how to get it.",
}
"""The sentence of every command; the function of its name is in the module of its name."""


def load_command(name: str) -> TyperCommand:
    """Import the module of a command and return the command with its arguments and options.

    Raises
    ------
    MissingExtra : what it works with is not installed
    """
    try:
        module = import_module(f"neuromfa.app.cli.{name}")
    except ModuleNotFoundError as error:
        raise extras.explained(error, what=f"`neuromfa {name}`") from None
    alone = typer.Typer(add_completion=False)
    alone.command(name)(getattr(module, name))
    command = get_command(alone)
    assert isinstance(command, TyperCommand)
    return command


class Commands(TyperGroup):
    """The commands by name and sentence; only the one that is called is loaded."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=sentence) for name, sentence in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that is called, loaded."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else None, rest


cli = typer.Typer(
    name="neuromfa",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"neuromfa {__version__}")
        raise typer.Exit


@cli.callback()
def neuromfa(
    version: Annotated[  # noqa: ARG001  told before anything else
        bool, typer.Option("--version", help="Show the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """How the structure inside a model's weights changes during training, and whether it is more than growth."""


def main() -> None:
    """Run the command line; every expected failure is one sentence on stderr and a non-zero exit code."""
    try:
        cli()
    except NeuroMFAError as error:
        typer.echo(f"neuromfa: {error}", err=True)
        sys.exit(EXIT_USAGE if isinstance(error, OptionError) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
