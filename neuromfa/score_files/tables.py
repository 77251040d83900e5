"""Scores from a table in text: CSV as people, spreadsheets and pandas write it."""

import codecs
import csv
import io
import math
import re
from collections.abc import Iterator, Mapping

from neuromfa.errors import OptionError
from neuromfa.score_files.found import NUMBER, Fault, Placed, Row, is_missing, metric_name, step_of
from neuromfa.scores import Score

NEEDED = ("step", "task", "metric", "value")
SEPARATORS = ",;\t"
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n")  # spreadsheets write, and ask for, such a first line


def table_rows(raw: bytes, *, name: str, model: str) -> Iterator[Row]:
    """Yield the rows of a table that are of `model`: all where it has no column model.

    Raises
    ------
    OptionError : it is no text, or has not the columns it needs
    """
    text, before = _without_separator_line(_decoded(raw, name=name))
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        _check(columns, name=name)
        for cells in reader:
            where = f"{name}, line {reader.line_num + before}"
            row = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
            if any(row.values()) and _is_of(row.get("model"), model):
                yield _row(
                    row, too_many=len(cells) > len(columns), decimal_comma=separator == ";", where=where
                )
    except csv.Error as error:
        yield Fault(f"{name}, line {reader.line_num + before}: {error}; the rest was not read")


def _decoded(raw: bytes, *, name: str) -> str:
    is_wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if is_wide else "utf-8-sig")  # spreadsheets begin with a mark
    except UnicodeDecodeError:
        raise OptionError(f"{name} is no CSV file in UTF-8") from None


def _without_separator_line(text: str) -> tuple[str, int]:
    found = SEPARATOR_LINE.match(text)
    return (text[found.end() :], 1) if found else (text, 0)


def _separator(text: str) -> str:
    header = text.partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def _check(columns: list[str], *, name: str) -> None:
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise OptionError(f"{name} has no column {missing[0]}; it needs {', '.join(NEEDED)}")


def _is_of(named: str | None, model: str) -> bool:
    return named is None or named in (model, model.rsplit("/", 1)[-1])


def _row(row: Mapping[str, str], *, too_many: bool, decimal_comma: bool, where: str) -> Row:
    try:
        if too_many:
            raise OptionError(
                f"{where}: more cells than columns; a name with the separator in it stands in quotes"
            )
        return Placed(_score(row, decimal_comma=decimal_comma, where=where), where)
    except OptionError as error:
        return Fault(str(error))


def _score(row: Mapping[str, str], *, decimal_comma: bool, where: str) -> Score:
    task, metric = row.get("task", ""), metric_name(row.get("metric", ""), where=where)
    if not task or not metric:
        raise OptionError(f"{where}: task and metric have names, and one of them is empty")
    value = _number(row.get("value"), decimal_comma=decimal_comma, what="value", where=where)
    told = row.get("stderr")
    stderr = (
        None if is_missing(told) else _number(told, decimal_comma=decimal_comma, what="stderr", where=where)
    )
    return Score(step_of(row.get("step", ""), where=where), task, metric, value, stderr)


def _number(text: str | None, *, decimal_comma: bool, what: str, where: str) -> float:
    plain = text or ""
    if decimal_comma and DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    number = float(plain) if NUMBER.fullmatch(plain) else math.nan
    if not math.isfinite(number):
        raise OptionError(f"{where}: {what} is a finite number, not {text!r}")
    if what == "stderr" and number < 0:
        raise OptionError(f"{where}: stderr is 0 or more, not {text!r}")
    return number
