"""One way in for all score files: a table, a result file, or a folder of both."""

import gzip
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from neuromfa.errors import OptionError
from neuromfa.score_files.found import Fault, GivenScores, Row, gathered, step_of
from neuromfa.score_files.harness import StepGiven, harness_content, harness_rows
from neuromfa.score_files.tables import table_rows
from neuromfa.scores import Score

ENDINGS = (".json", ".csv", ".tsv")
OWN_NAME = "results"  # what the harness calls its files, beside which others may lie in a folder


def collect_scores(path: Path, *, model: str, step: str | None = None, strict: bool = False) -> GivenScores:
    """Read scores from a table, a result file of lm-evaluation-harness, or all of these in a folder.

    A table has the columns step, task, metric, value and, where there are, stderr and model. What cannot be taken is
    named, and the rest is taken.

    Parameters
    ----------
    model : id of the series; where a table has a column `model`, only rows with this id, or with its last part, are
        taken, and of result files with an id of a hub those whose id ends as this one does
    step : of a single result file that tells none; - for a checkpoint without one
    strict : refuse all where something cannot be taken

    Raises
    ------
    OptionError : nothing could be read or taken
    """
    given = StepGiven(step_of(step, where="--step")) if step is not None else None
    if given and (path.is_dir() or not _is_json(path)):
        raise OptionError(
            f"--step is for one result file of lm-evaluation-harness; {path} is a "
            f"{'folder' if path.is_dir() else 'table'}, which tells the steps itself"
        )
    rows = _folder_rows(path, model) if path.is_dir() else _file_rows(path, model, given)
    found = _some(gathered(rows), name=str(path), model=model)
    return _without_fault(found) if strict else found


def read_scores(path: Path, *, model: str, step: str | None = None) -> list[Score]:
    """Read scores as `collect_scores` does, and refuse all where something cannot be taken.

    Raises
    ------
    OptionError : the first row or file that cannot be taken
    """
    return collect_scores(path, model=model, step=step, strict=True).scores


def published_scores(model: str) -> list[Score]:
    """Return the published zero-shot scores of a Pythia model (EleutherAI/pythia, Apache-2.0).

    Raises
    ------
    OptionError : the table has no such model
    """
    name = "the published table of Pythia's scores"
    packed = resources.files("neuromfa").joinpath("data", "pythia_zero_shot.csv.gz").read_bytes()
    rows = table_rows(gzip.decompress(packed), name=name, model=model)
    return _without_fault(_some(gathered(rows), name=name, model=model)).scores


def _file_rows(path: Path, model: str, given: StepGiven | None) -> Iterator[Row]:
    raw = _read(path)
    if not _is_json(path):
        yield from table_rows(raw, name=str(path), model=model)
        return
    content = harness_content(raw, name=str(path))
    if content is None:
        raise OptionError(f"{path} is no result file of lm-evaluation-harness: it has no `results`")
    yield from harness_rows(content, path=path, model=model, given=given)


def _folder_rows(folder: Path, model: str) -> Iterator[Row]:
    for path in sorted(each for each in folder.rglob("*") if each.suffix in ENDINGS and each.is_file()):
        try:
            if not _is_of_another_kind(path):
                yield from _file_rows(path, model, None)
        except OptionError as error:
            yield Fault(str(error))


def _is_of_another_kind(path: Path) -> bool:
    """Tell whether a file of a folder is whole JSON that never meant to be a result, such as config.json."""
    is_json = _is_json(path) and not path.name.startswith(OWN_NAME)
    return is_json and harness_content(_read(path), name=str(path)) is None


def _is_json(path: Path) -> bool:
    if path.suffix == ".json":
        return True
    return path.suffix not in ENDINGS and _read(path).lstrip()[:1] == b"{"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionError(f"cannot read scores from {path}: {error.strerror or error}") from None


def _some(given: GivenScores, *, name: str, model: str) -> GivenScores:
    if given.scores:
        return given
    if given.faults:
        more = len(given.faults) - 1
        raise OptionError(given.faults[0] + (f" (and {more} more that cannot be taken)" if more else ""))
    raise OptionError(f"{name} has no row of model {model!r}")


def _without_fault(given: GivenScores) -> GivenScores:
    if given.faults:
        raise OptionError(given.faults[0])
    return given
