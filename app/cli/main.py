"""The command line: one line per command, one place where errors become a sentence and an exit code."""

import sys

import typer
from rich.console import Console

from neuromfa.app.cli import (
    analyze,
    browser,
    demo,
    doctor,
    export,
    ingest,
    listing,
    query,
    scores,
    serve,
    verify,
    worker,
)
from neuromfa.errors import NeuroMFAError, OptionError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

cli = typer.Typer(
    name="neuromfa",
    help="How the structure inside a model's weights changes during training, and whether it is more than growth.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cli.command("analyze")(analyze.analyze)
cli.command("ingest")(ingest.ingest)
cli.command("worker")(worker.worker)
cli.command("serve")(serve.serve)
cli.command("demo")(demo.demo)
cli.command("browser")(browser.browser)
cli.command("query")(query.query)
cli.command("scores")(scores.scores)
cli.command("export")(export.export)
cli.command("verify")(verify.verify)
cli.command("architectures")(listing.architectures)
cli.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line; every expected failure is one sentence on stderr and a non-zero exit code."""
    try:
        cli()
    except NeuroMFAError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"neuromfa: {error}", markup=False)
        sys.exit(EXIT_USAGE if isinstance(error, OptionError) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
