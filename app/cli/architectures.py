"""`neuromfa architectures`: which models can be read, and what a model at hand would be read as."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from neuromfa.app.cli.options import AsJson
from neuromfa.app.cli.output import console, write_json
from neuromfa.checkpoints import Architecture, list_architectures, open_series
from neuromfa.checkpoints.architecture.propose import Draft
from neuromfa.checkpoints.architecture.trial import Trial, first_draft, try_checkpoint
from neuromfa.errors import OptionError


def architectures(
    tried: Annotated[
        str | None,
        typer.Option(
            "--try",
            metavar="SOURCE",
            help="Tell which architecture fits this model by names and shapes, and what each tensor would be.",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="With --try: write a first architecture file for the model here, to be checked."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the architectures that can be read, or try which one fits a model (--try)."""
    if tried is not None:
        _try(tried, write=write, as_json=as_json)
        return
    if write is not None:
        raise OptionError(
            "--write needs a model to write for: neuromfa architectures --try SOURCE --write FILE"
        )
    known = list_architectures()
    if as_json:
        write_json([_record(architecture) for architecture in known], "-")
        return
    table = Table("name", "models", "model_type", "rows, in order")
    for architecture in known:
        record = _record(architecture)
        table.add_row(record.name, record.title, ", ".join(record.model_types), ", ".join(record.rows))
    console.print(table)


@dataclass(frozen=True)
class ArchitectureRecord:
    """What a person needs to know of an architecture file."""

    name: str
    title: str
    model_types: list[str]
    rows: list[str]


def _record(architecture: Architecture) -> ArchitectureRecord:
    blocks = architecture.blocks
    rows = (
        architecture.chain.rows if architecture.chain else [row.row for row in blocks.rows] if blocks else []
    )
    return ArchitectureRecord(architecture.name, architecture.title, architecture.model_types, list(rows))


def _try(source: str, *, write: Path | None, as_json: bool) -> None:
    """Show what the first checkpoint of a source would be read as, and write a first file where one is asked for."""
    if write is not None and write.exists():
        raise OptionError(f"{write} exists and is not written over; name another file with --write")
    tensors = open_series(source).checkpoints[0].open()
    try:
        trial = try_checkpoint(tensors)
        drafted = first_draft(tensors, path=write) if write is not None else None
    finally:
        tensors.close()
    if as_json:
        write_json(trial, "-")
    else:
        _show(trial)
    if write is not None:
        _write(drafted, write, trial)


def _show(trial: Trial) -> None:
    table = Table(Column("tensor", overflow="fold"), "shape", "how many", "what it would be")
    for one in trial.tensors:
        table.add_row(one.name, " x ".join(map(str, one.shape)), str(one.tensors), one.part)
    console.print(table)
    console.print(_sentence(trial))


def _sentence(trial: Trial) -> str:
    if trial.found is not None:
        return f"{trial.source} is read as {trial.found}."
    if trial.flag is not None:
        return f"{trial.source} fits {trial.fitting[0]} by names and shapes: pass {trial.flag} to read it as that."
    if trial.assumed is None:
        return f"No known architecture fits ({trial.refusal}), and names and shapes do not tell a first file."
    taken = f" It would take for granted: {'; '.join(trial.assumed)}." if trial.assumed else ""
    return (
        f"No known architecture fits ({trial.refusal}). A first file of your own can be made, with the parts above: "
        f"neuromfa architectures --try {trial.source} --write FILE.json.{taken}"
    )


def _write(drafted: Draft | None, path: Path, trial: Trial) -> None:
    if drafted is None:
        raise OptionError(
            f"no blocks with attention and feed-forward matrices can be made out in {trial.source}; start from an "
            f"example of docs/architectures.md, nearest is {trial.nearest}"
        )
    path.write_text(json.dumps(drafted.content, indent=2) + "\n", encoding="utf-8")
    taken = ", ".join(f"{kind} = {name}" for kind, name in drafted.parts.items())
    left = f" Not taken: {', '.join(drafted.left_over)}." if drafted.left_over else ""
    assumed = f" To be checked first: {'; '.join(drafted.assumed)}." if drafted.assumed else ""
    typer.echo(
        f"{path} is a first draft. Taken: {taken}.{left}{assumed} Check it against the model's code, then pass "
        f"--architecture {path}",
        err=True,
    )
