"""Lists as tables: JSON, CSV, Parquet or Arrow, as the ending of the address or the header `Accept` chooses."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Header, Response

from neuromfa import extras
from neuromfa.app.errors import NOT_ACCEPTABLE, Refused
from neuromfa.app.file_responses import file_answer
from neuromfa.exports import ARROW, PARQUET, Row, write_csv

Form = Literal["json", "csv", "parquet", "arrow"]
TableForm = Literal["csv", "parquet", "arrow"]
MEDIA_TYPES: Mapping[Form, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}
Accept = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="Form of the answer: JSON without a word, or CSV, Parquet or Arrow by their media types.",
    ),
]


def form_of(accept: str | None) -> Form:
    """Return the form that a header `Accept` likes best, of equal ones the first of `MEDIA_TYPES`.

    Raises
    ------
    Refused : it takes none of them
    """
    ranges = [_parted(part) for part in (accept or "*/*").split(",") if part.strip()]
    liked = {form: _liking(media, ranges) for form, media in MEDIA_TYPES.items()}
    best = max(liked, key=lambda form: liked[form])
    if liked[best] <= 0:
        raise Refused(NOT_ACCEPTABLE, f"answers come as {', '.join(MEDIA_TYPES.values())}")
    return best


def table_answer(rows: Sequence[Row], form: TableForm, *, name: str, response: Response) -> Response:
    """Return rows as a file that is named `name`, with the headers of the answer under way."""
    write = {"csv": _write_csv, "parquet": _write_parquet, "arrow": _write_arrow}[form]
    kind = MEDIA_TYPES[form] + ("; charset=utf-8" if form == "csv" else "")
    return file_answer(partial(write, rows), name=f"{name}.{form}", media_type=kind, headers=response.headers)


def _parted(part: str) -> tuple[str, float]:
    """Return a media range and how much it is liked, from 0 to 1."""
    media, *parameters = (word.strip().lower() for word in part.split(";"))
    weights = [word[2:] for word in parameters if word.startswith("q=")]
    try:
        return media, float(weights[0]) if weights else 1.0
    except ValueError:
        return media, 0.0


def _liking(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return how much a media type is liked: by the narrowest range that holds it."""
    by_range = dict(ranges)
    found = (by_range.get(one) for one in (media, f"{media.partition('/')[0]}/*", "*/*"))
    return next((weight for weight in found if weight is not None), 0.0)


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    write_csv([{name: _text(value) for name, value in row.items()} for row in rows], path)


def _text(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _table(rows: Sequence[Row]) -> object:
    pa = extras.load("pyarrow", what=ARROW)
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: pa.array([row.get(name) for row in rows]) for name in names}
    numbers = {name: c.cast(pa.float64()) if pa.types.is_null(c.type) else c for name, c in columns.items()}
    return pa.table(numbers)


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    extras.load("pyarrow.parquet", what=PARQUET).write_table(_table(rows), path)


def _write_arrow(rows: Sequence[Row], path: Path) -> None:
    pa = extras.load("pyarrow", what=ARROW)
    table = _table(rows)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:  # type: ignore[attr-defined]
        writer.write_table(table)
