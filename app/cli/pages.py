"""Parts of pages in docs/ that a program writes, each between two marks that stay where they are."""

from collections.abc import Iterable
from pathlib import Path


def put_between(page: Path, name: str, lines: Iterable[str]) -> None:
    """Replace the part of a page between the marks of that name."""
    before, _, after = _parts(page, name)
    page.write_text(before + "".join(f"{line}\n" for line in lines) + after, encoding="utf-8")


def lines_between(page: Path, name: str) -> list[str]:
    """Return the lines of a page between the marks of that name."""
    return _parts(page, name)[1].splitlines()


def _parts(page: Path, name: str) -> tuple[str, str, str]:
    """Return a page before, between and after the marks; the marks belong to what is outside."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.read_text(encoding="utf-8").split(start)
    between, after = rest.split(end)
    return before + start, between, end + after
