"""What a reader of scores finds, row by row: a score with its place, or a fault with its sentence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from neuromfa.checkpoints.transport.step_names import step_name
from neuromfa.errors import OptionError
from neuromfa.scores import Score

NO_STEP = ("", "-")
LARGEST_STEP = 10**15
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
MISSING = ("", "-", "n/a", "na", "<na>", "nan", "none", "null")
STDERR = "_stderr"
ONLY_FILTER = ",none"


@dataclass(frozen=True)
class Placed:
    """A score and where it was found."""

    score: Score
    where: str


@dataclass(frozen=True)
class Fault:
    """What could not be taken: what, where, and what to do."""

    sentence: str


Row = Placed | Fault


@dataclass(frozen=True)
class GivenScores:
    """The scores that could be taken, and a sentence for each row or file that could not."""

    scores: list[Score] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def gathered(rows: Iterable[Row]) -> GivenScores:
    """Bring rows together; of a score given twice with different values neither is taken.

    The same score again, as where a folder holds a file and a copy of it, is one.
    """
    placed: dict[tuple[int | None, str, str], Placed] = {}
    doubled, faults = set(), []
    for row in rows:
        if isinstance(row, Fault):
            faults.append(row.sentence)
            continue
        key = (row.score.step, row.score.task, row.score.metric)
        first = placed.setdefault(key, row)
        if first.score != row.score:
            doubled.add(key)
            faults.append(
                f"{row.where}: {row.score.task} {row.score.metric} is given twice for that step, otherwise in "
                f"{first.where}; neither is taken, leave one of them away"
            )
    return GivenScores([each.score for key, each in placed.items() if key not in doubled], faults)


def step_of(text: str, *, where: str) -> int | None:
    """Read a step: a whole number, also as 100.0 or step100; None for - or nothing."""
    text = text.strip()
    if text in NO_STEP:
        return None
    named = step_name(text)
    number = float(text) if NUMBER.fullmatch(text) else named.step if named else None
    if number is None or not 0 <= number <= LARGEST_STEP or number != int(number):
        raise OptionError(
            f"{where}: a step is a whole number, or - for a checkpoint without one, not {text!r}"
        )
    return int(number)


def is_missing(value: object) -> bool:
    """Tell whether a program wrote that it has no number here, such as N/A."""
    return value is None or (isinstance(value, str) and value.strip().lower() in MISSING)


def metric_name(text: str, *, where: str) -> str:
    """Return the name of a metric without the filter ``none``, which filters nothing.

    Raises
    ------
    OptionError : it names a standard error, which is no score
    """
    name = text.strip().removesuffix(ONLY_FILTER)
    if name.split(",")[0].endswith(STDERR):
        raise OptionError(f"{where}: {name} is a standard error and no score; it goes into the column stderr")
    return name
