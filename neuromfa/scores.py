"""Benchmark scores of checkpoints: the record, and the tables they are read from."""

import csv
import gzip
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from neuromfa.errors import OptionError

NEEDED = ("step", "task", "metric", "value")
NO_STEP = ("", "-")
LARGEST_STEP_DIGITS = 15


@dataclass(frozen=True)
class Score:
    """What a checkpoint scored on a benchmark; step is None outside a series, stderr where nobody gave one."""

    step: int | None
    task: str
    metric: str
    value: float
    stderr: float | None = None


def read_scores(path: Path, *, model: str) -> list[Score]:
    """Read a CSV file with the columns step, task, metric, value and, where there are, stderr and model.

    Parameters
    ----------
    model : id of the series; where the file has a column `model`, only rows with this id, or with its last part,
        are taken

    Raises
    ------
    OptionError : no such file, a missing column, a cell that is no number, a score given twice, or no row of
        this model; the message names the line
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets begin with a mark
            return _scores(file, name=str(path), model=model)
    except OSError as error:
        raise OptionError(f"cannot read scores from {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise OptionError(f"{path} is no CSV file in UTF-8") from None


def published_scores(model: str) -> list[Score]:
    """Return the published zero-shot scores of a Pythia model (EleutherAI/pythia, Apache-2.0).

    Raises
    ------
    OptionError : the table has no such model
    """
    table = resources.files("neuromfa").joinpath("data", "pythia_zero_shot.csv.gz")
    with table.open("rb") as packed, gzip.open(packed, "rt", encoding="utf-8", newline="") as file:
        return _scores(file, name="the published table of Pythia's scores", model=model)


def _scores(lines: Iterable[str], *, name: str, model: str) -> list[Score]:
    reader = csv.DictReader(lines)
    missing = [column for column in NEEDED if column not in (reader.fieldnames or ())]
    if missing:
        raise OptionError(f"{name} has no column {missing[0]}; it needs {', '.join(NEEDED)}")
    found: dict[tuple[int | None, str, str], Score] = {}
    for line, row in enumerate(reader, start=2):
        if not _is_of(row.get("model"), model):
            continue
        score = _score(row, where=f"{name}, line {line}")
        key = (score.step, score.task, score.metric)
        if key in found:
            raise OptionError(
                f"{name}, line {line}: {score.task} {score.metric} is given twice for that step"
            )
        found[key] = score
    if not found:
        raise OptionError(f"{name} has no row of model {model!r}")
    return list(found.values())


def _is_of(named: str | None, model: str) -> bool:
    return named is None or named in (model, model.rsplit("/", 1)[-1])


def _score(row: dict[str, str | None], *, where: str) -> Score:
    task, metric = (row["task"] or "").strip(), (row["metric"] or "").strip()
    if not task or not metric:
        raise OptionError(f"{where}: task and metric have names, and one of them is empty")
    value = _number(row["value"], what="value", where=where)
    stderr = _number(row["stderr"], what="stderr", where=where) if row.get("stderr") else None
    return Score(_step(row["step"] or "", where=where), task, metric, value, stderr)


def _step(text: str, *, where: str) -> int | None:
    if text.strip() in NO_STEP:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= LARGEST_STEP_DIGITS):
        raise OptionError(
            f"{where}: a step is a whole number, or - for a checkpoint without one, not {text!r}"
        )
    return int(text)


def _number(text: str | None, *, what: str, where: str) -> float:
    try:
        number = float(text or "")
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise OptionError(f"{where}: {what} is a finite number, not {text!r}")
    return number


def by_benchmark(scores: Iterable[Score]) -> Iterator[tuple[str, str, dict[int, float]]]:
    """Yield task, metric and value by step of every benchmark, in the order of first appearance.

    Checkpoints without a step are left out: they are no series.
    """
    tables: dict[tuple[str, str], dict[int, float]] = {}
    for score in scores:
        if score.step is not None:
            tables.setdefault((score.task, score.metric), {})[score.step] = score.value
    for (task, metric), values in tables.items():
        yield task, metric, values
