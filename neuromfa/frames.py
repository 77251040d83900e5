"""Records as rows of plain columns, and rows as a data frame of pandas or polars, whichever is there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from importlib import import_module
from typing import Any, Literal

from neuromfa.errors import MissingExtra, OptionError

Row = dict[str, Any]
Library = Literal["pandas", "polars"]

LIBRARIES: tuple[Library, ...] = ("pandas", "polars")
MAIN = "value"
"""A part with this name gives its column the name of the whole: alpha0, alpha0_low, alpha0_high."""


def flat(record: Any) -> Row:
    """Return a record as one row: parts of parts are joined by _, lists stay lists, what is missing is None."""
    row: Row = {}
    for name, value in _parts(record):
        _put(row, name, value)
    return row


def flat_rows(records: Iterable[Any]) -> list[Row]:
    """Return records as rows that all have the same columns, in the order of first appearance."""
    rows = [flat(record) for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def to_frame(rows: Sequence[Row], *, library: Library | None = None) -> Any:
    """Return rows as a data frame.

    Parameters
    ----------
    library : pandas or polars; without a word the first of them that is installed

    Raises
    ------
    OptionError : another library
    MissingExtra : it, or without a word both, are not installed
    """
    if library not in (None, *LIBRARIES):
        raise OptionError(f"library is {' or '.join(LIBRARIES)}, not {library!r}")
    module = _first_of((library,) if library else LIBRARIES)
    if module.__name__ == "polars":
        return module.DataFrame(list(rows), infer_schema_length=None)
    return module.DataFrame(list(rows))


def _first_of(names: Sequence[str]) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    words = " or ".join(names)
    raise MissingExtra(f"a data frame needs {words}: pip install {names[0]}", name=names[0])


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    if is_dataclass(value):
        return [(each.name, getattr(value, each.name)) for each in fields(value)]
    return [(str(name), part) for name, part in value.items()]


def _put(row: Row, name: str, value: Any) -> None:
    if not (is_dataclass(value) or isinstance(value, Mapping)):
        row[name] = [_plain(one) for one in value] if isinstance(value, list) else value
        return
    for part, inner in _parts(value):
        _put(row, name if part == MAIN else f"{name}_{part}", inner)


def _plain(value: Any) -> Any:
    """Return a record inside a list as a dict: not every data frame holds objects."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
