"""Puts tables of figures into the pages of docs/, between two marks that stay where they are."""

from collections.abc import Iterable
from pathlib import Path

TABLE_START, TABLE_END = "<!-- table -->\n", "<!-- end of table -->\n"


def put_table(page: Path, lines: Iterable[str]) -> None:
    """Replace the table of a page."""
    text = page.read_text()
    before, after = text.split(TABLE_START)[0], text.split(TABLE_END)[1]
    page.write_text(before + TABLE_START + "".join(f"{line}\n" for line in lines) + TABLE_END + after)


def table_of(page: Path) -> list[str]:
    """Return the lines of the table of a page."""
    return page.read_text().split(TABLE_START)[1].split(TABLE_END)[0].splitlines()
