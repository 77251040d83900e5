"""Scores from result files of lm-evaluation-harness, since 0.4 (`acc,none`) and before (`acc`)."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuromfa.checkpoints.transport.step_names import KNOWN, step_name
from neuromfa.errors import OptionError
from neuromfa.score_files.found import ONLY_FILTER, STDERR, Fault, Placed, Row, is_missing
from neuromfa.scores import Score

ABOUT = ("alias", "name", "sample_len", "sample_count", "samples", " ")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
STEP_IN_NAME = re.compile(rf"(?<![A-Za-z0-9]){KNOWN.pattern}(?![A-Za-z0-9])", re.ASCII)
NAMES_ABOVE = 3  # the harness writes OUT/MODEL/results_DATE.json


@dataclass(frozen=True)
class StepGiven:
    """A step that a person gave for a file; None for a checkpoint without one."""

    step: int | None


def harness_content(raw: bytes, *, name: str) -> dict[str, Any] | None:
    """Return the content of a result file, None for JSON of another kind.

    Raises
    ------
    OptionError : it is no JSON, as where it was cut off
    """
    try:
        content = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise OptionError(
            f"{name} is no whole JSON file ({error}); write it again, or leave it away"
        ) from None
    is_result = isinstance(content, dict) and isinstance(content.get("results"), dict)
    return content if is_result else None


def harness_rows(content: Mapping[str, Any], *, path: Path, model: str, given: StepGiven | None) -> list[Row]:
    """Return what a result file says of `model`; nothing where it tells that it is of another one.

    Raises
    ------
    OptionError : it tells no step, or two different ones
    """
    told = _arguments(content)
    if _is_of_another(told, model):
        return []
    step = given.step if given else _step(told, content, path)
    rows = {**_mapping(content.get("groups")), **content["results"]}
    return [row for task, row in rows.items() for row in _task_rows(task, row, content, step, path)]


def _arguments(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the model was opened with: text such as ``pretrained=org/m,revision=step200``, or a mapping."""
    told = _mapping(content.get("config")).get("model_args")
    if not isinstance(told, str):
        return _mapping(told)
    return dict(part.split("=", 1) for part in told.split(",") if "=" in part)


def _is_of_another(told: Mapping[str, Any], model: str) -> bool:
    """Tell whether model and file both have ids of a hub, and these end differently."""
    named = str(told.get("pretrained", ""))
    ids = bool(HUB_ID.fullmatch(named) and HUB_ID.fullmatch(model)) and step_name(named.split("/")[1]) is None
    return ids and named.rsplit("/", 1)[-1] != model.rsplit("/", 1)[-1]


def _step(told: Mapping[str, Any], content: Mapping[str, Any], path: Path) -> int:
    revision = told.get("revision") or _mapping(content.get("config")).get("model_revision") or ""
    loaded = step_name(str(revision)) or step_name(Path(str(told.get("pretrained", ""))).name)
    named = _named_step(path)
    if loaded is not None and named not in (None, loaded.step):
        raise OptionError(
            f"{path} was made with step {loaded.step} and is named after step {named}; tell with --step"
        )
    step = loaded.step if loaded is not None else named
    if step is None:
        raise OptionError(
            f"{path} tells no step, neither by revision nor by name; name it as in step1000.json, or give --step"
        )
    return step


def _named_step(path: Path) -> int | None:
    """Return the step in the name of a file or, where it has none, of the folders above it; None for several."""
    above = [path.stem, *(folder.name for folder in list(path.absolute().parents)[: NAMES_ABOVE - 1])]
    for name in above:
        steps = {int(found["step"].replace(",", "")) for found in STEP_IN_NAME.finditer(name)}
        if steps:
            return steps.pop() if len(steps) == 1 else None
    return None


def _task_rows(
    task: str, row: object, content: Mapping[str, Any], step: int | None, path: Path
) -> Iterator[Row]:
    numbers = _mapping(row)
    filtered = any("," in key for key in numbers)
    shots = _shots(task, content)
    named = f"{task} ({shots}-shot)" if shots else task
    for key, value in numbers.items():
        metric, _, chosen = key.partition(",")
        is_metric = key not in ABOUT and not metric.endswith(STDERR) and (not filtered or "," in key)
        if not is_metric or is_missing(value) or isinstance(value, dict | list):
            continue
        where = f"{path}, {task} {key}"
        stderr = numbers.get(f"{metric}{STDERR},{chosen}" if "," in key else f"{key}{STDERR}")
        try:
            score = Score(
                step,
                named,
                key.removesuffix(ONLY_FILTER),
                _number(value, what="the score", where=where),
                _stderr(stderr, where=where),
            )
            yield Placed(score, where)
        except OptionError as error:
            yield Fault(str(error))


def _number(value: object, *, what: str, where: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    if not is_number or not math.isfinite(value):  # type: ignore[arg-type]
        raise OptionError(f"{where}: {what} is a finite number, not {str(value)[:40]!r}")
    return float(value)  # type: ignore[arg-type]


def _stderr(value: object, *, where: str) -> float | None:
    if is_missing(value) or (isinstance(value, float) and math.isnan(value)):
        return None
    number = _number(value, what="its stderr", where=where)
    if number < 0:
        raise OptionError(f"{where}: its stderr is 0 or more, not {number}")
    return number


def _shots(task: str, content: Mapping[str, Any]) -> int:
    """Return with how many examples a task was asked, 0 where the file does not tell."""
    counts = _mapping(content.get("n-shot"))
    own = _mapping(_mapping(content.get("configs")).get(task)).get("num_fewshot")
    of_all = _mapping(content.get("config")).get("num_fewshot")
    parts = _mapping(content.get("group_subtasks")).get(task) or []
    of_parts = {counts.get(part) for part in parts} if isinstance(parts, list) else set()
    of_group = of_parts.pop() if len(of_parts) == 1 else None
    known = (each for each in (counts.get(task), own, of_group, of_all) if isinstance(each, int))
    return next(known, 0)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
