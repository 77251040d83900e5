"""`neuromfa architectures`: which models can be read, and how."""

from dataclasses import dataclass

from rich.table import Table

from neuromfa.app.cli.options import AsJson
from neuromfa.app.cli.output import console, write_json
from neuromfa.checkpoints import Architecture, list_architectures


def architectures(as_json: AsJson = False) -> None:
    """List the architectures that can be read; your own is a file away (docs/architectures.md)."""
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
