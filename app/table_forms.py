"""Lists as tables: JSON, CSV, Parquet or Arrow, as the ending of the address or the header `Accept` chooses."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from fastapi import Response
from starlette.types import Scope

from neuromfa import extras
from neuromfa.app.errors import NOT_ACCEPTABLE, Refused
from neuromfa.app.file_responses import file_answer, written
from neuromfa.app.form_asked import FORM
from neuromfa.exports import ARROW, PARQUET, Row, write_csv
from neuromfa.frames import flat_rows

Form = Literal["json", "csv", "parquet", "arrow"]
TableForm = Literal["csv", "parquet", "arrow"]
MEDIA_TYPES: Mapping[Form, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}
TABLE = "x-table"
"""Word of a route in the contract: the member of its answers that holds the rows."""

ENDINGS = (".csv", ".parquet", ".arrow")
LONGEST_ACCEPT, MOST_ACCEPTS = 1000, 256


def table_of(member: str = "items") -> dict[str, Any]:
    """Return what makes a route one of tables, for its `openapi_extra`."""
    return {TABLE: member}


def form_of(accept: str | None) -> Form:
    """Return the form that a header `Accept` likes best, of equal ones the first of `MEDIA_TYPES`.

    Raises
    ------
    Refused : it takes none of them
    """
    form = _liked(accept or "*/*") if len(accept or "") <= LONGEST_ACCEPT else None
    if form is None:
        raise Refused(
            NOT_ACCEPTABLE,
            f"Accept takes none of the forms of this answer, which are {', '.join(MEDIA_TYPES.values())}; send one of "
            "these, or end the address with .csv, .parquet or .arrow",
        )
    return form


def accepted(scope: Scope) -> str:
    """Return what of the header `Accept` tells answers of one address apart: the form it likes best, or nothing."""
    accept = _accept(scope)
    return (_liked(accept or "*/*") or "") if len(accept) <= LONGEST_ACCEPT else ""


def choose_form(scope: Scope) -> Form:
    """Return the form of the answer to a request, by its ending or else by `Accept`, and note it in the scope."""
    form: Form = scope.get(FORM) or form_of(_accept(scope))
    scope[FORM] = form
    return form


def table_form(scope: Scope) -> TableForm | None:
    """Return in which form of a table the answer under way is, None for JSON."""
    form = scope.get(FORM, "json")
    return None if form == "json" else form


def tabled(text: bytes, member: str, form: TableForm) -> bytes:
    """Return the rows of an answer that is JSON as a table: parts of parts get columns of their own."""
    return written(partial(WRITE[form], flat_rows(json.loads(text)[member])))


def media_type_of(form: TableForm) -> str:
    """Return the media type of a table."""
    return MEDIA_TYPES[form] + ("; charset=utf-8" if form == "csv" else "")


def file_name(scope: Scope, form: TableForm) -> str:
    """Return under which name a table is saved: its address in short."""
    path = scope["path"].partition("/v1/")[2].removesuffix(f".{form}").replace("models/", "", 1)
    return f"{path.replace('/', '-')}.{form}"


def table_answer(rows: Sequence[Row], form: TableForm, *, name: str, response: Response) -> Response:
    """Return rows as a file that is named `name`, with the headers of the answer under way."""
    return file_answer(
        partial(WRITE[form], rows), name=name, media_type=media_type_of(form), headers=response.headers
    )


def _accept(scope: Scope) -> str:
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"accept")


@lru_cache(MOST_ACCEPTS)
def _liked(accept: str) -> Form | None:
    """Return the form that a header likes best, None where it takes none."""
    ranges = [_parted(part) for part in accept.split(",") if part.strip()]
    liked = {form: _liking(media, ranges) for form, media in MEDIA_TYPES.items()}
    best = max(liked, key=lambda form: liked[form])
    return best if liked[best] > 0 else None


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
    """Return a value as it stands in CSV: lists with blanks between, what is in more than one part as JSON."""
    if not isinstance(value, list):
        return value
    if any(isinstance(one, (list, dict)) for one in value):
        return json.dumps(value)
    return " ".join(map(str, value))


def _table(rows: Sequence[Row]) -> object:
    pa = extras.load("pyarrow", what=ARROW)
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column(pa, [row.get(name) for row in rows]) for name in names})


def _column(pa: Any, values: list[Any]) -> Any:
    """Return a column: of numbers where nothing is known, of texts where its values are of several kinds."""
    try:
        column = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([one if one is None or isinstance(one, str) else json.dumps(one) for one in values])
    return column.cast(pa.float64()) if pa.types.is_null(column.type) else column


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    extras.load("pyarrow.parquet", what=PARQUET).write_table(_table(rows), path)


def _write_arrow(rows: Sequence[Row], path: Path) -> None:
    pa = extras.load("pyarrow", what=ARROW)
    table = _table(rows)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:  # type: ignore[attr-defined]
        writer.write_table(table)


WRITE: Mapping[TableForm, Callable[[Sequence[Row], Path], None]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "arrow": _write_arrow,
}
