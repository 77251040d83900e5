"""Puts tables of figures into the pages of docs/."""

from collections.abc import Iterable
from pathlib import Path

from neuromfa.app.cli.pages import lines_between, put_between

TABLE = "table"


def put_table(page: Path, lines: Iterable[str]) -> None:
    """Replace the table of a page."""
    put_between(page, TABLE, lines)


def table_of(page: Path) -> list[str]:
    """Return the lines of the table of a page."""
    return lines_between(page, TABLE)
