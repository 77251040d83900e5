"""What people see: tables, progress bars, and the files they ask for."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from neuromfa import exports
from neuromfa.errors import OptionError
from neuromfa.mfa.nulls import NULL_KINDS
from neuromfa.results import CheckpointResult, Estimate, FailedCheckpoint, SeriesResult, to_json
from neuromfa.structure import Verdict

EXIT_SOME_FAILED = 3
MOST_TOLD = 20

# what is printed holds names of files, tensors and models, in which brackets mean nothing
console = Console(highlight=False, markup=False)
messages = Console(stderr=True, highlight=False, markup=False)


class Progress:
    """A progress bar on standard error, as a context; silent where there is nobody to watch it."""

    def __init__(self, doing: str, *, show: bool = True) -> None:
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=messages,
            disable=not show,
        )
        self._task = self._bars.add_task(doing, total=None)

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def update(self, done: int, total: int, doing: str) -> None:
        """Show that `done` of `total` units are finished and what is under way."""
        self._bars.update(self._task, completed=done, total=total, description=doing)


def write_json(record: Any, path: str, *, indent: int | None = 2) -> None:
    """Write a result record as JSON to a file, or to standard output for ``-``; without `indent` in one line."""
    text = to_json(record, indent=indent)
    if path == "-":
        sys.stdout.write(text + "\n")
        return
    _written(Path(path), text + "\n")


def written_csv(result: SeriesResult, path: Path) -> None:
    """Write one row a step, as `neuromfa export` does: the numbers with their intervals, nulls and flags."""
    exported(lambda: exports.write_results_csv(result.checkpoints, path), path)


def exported(write: Callable[[], None], path: Path) -> None:
    """Write a file; `OptionError` says why it cannot be written."""
    try:
        write()
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror}") from None


def print_series(result: SeriesResult) -> None:
    """Print what was skipped first, then a table of the numbers, then what the reader must know."""
    for line in (*result.left_out, *_skipped(result.checkpoints)):
        console.print(line, style="yellow")
    table = Table(title=f"{result.series}, profile {result.profile}")
    nulls = [
        kind
        for kind in NULL_KINDS
        if any(kind in (checkpoint.nulls or ()) for checkpoint in result.checkpoints)
    ]
    for name in ("step", "alpha0", "width", "E", *(f"E of\n{null}" for null in nulls), "g", "nodes\nkept"):
        table.add_column(name, justify="right", no_wrap=True)
    for checkpoint in result.checkpoints:
        table.add_row(*_cells(checkpoint, nulls))
    console.print(table)
    for line in _flagged(result.checkpoints):
        console.print(line, style="yellow")
    for line in _changes(result):
        console.print(line)
    if result.verdict is not None:
        console.print(result.verdict.sentence, style="bold")
    for note in result.notes:
        console.print(note, style="dim")


def _cells(checkpoint: CheckpointResult, nulls: Sequence[str]) -> Iterable[str]:
    nodes = checkpoint.coverage.nodes
    yield "-" if checkpoint.step is None else str(checkpoint.step)
    yield _interval(checkpoint.alpha0)
    yield _interval(checkpoint.width)
    yield _interval(checkpoint.emergence) if checkpoint.emergence else checkpoint.emergence_reason or "-"
    for name in nulls:
        null = (checkpoint.nulls or {}).get(name)
        yield _interval(null.emergence) if null and null.emergence else "-"
    yield _effect(checkpoint.verdict)
    yield f"{100 * nodes.kept / nodes.total:.0f} %"


def _effect(verdict: Verdict | None) -> str:
    if verdict is None or verdict.structure.g is None:
        return "-"
    return f"{verdict.structure.g:.3f}\n{verdict.structure.answer or '-'}"


def _flagged(checkpoints: list[CheckpointResult]) -> list[str]:
    """Return one line per flag with the steps that raise it, and what it means there."""
    steps: dict[str, list[str]] = {}
    for checkpoint in checkpoints:
        for flag in checkpoint.flags:
            note = checkpoint.flag_notes.get(flag)
            step = "-" if checkpoint.step is None else str(checkpoint.step)
            steps.setdefault(flag, []).append(f"{step} ({note})" if note else step)
    return [f"flag {flag}: step {', '.join(found)}" for flag, found in steps.items()]


def _interval(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.4f}"
    return f"{estimate.value:.4f}\n±{(estimate.high - estimate.low) / 2:.4f}"


def _changes(result: SeriesResult) -> Iterable[str]:
    """Yield where each curve takes another direction; nothing where none was looked for."""
    for measure, found in result.change_points.items():
        if found.points:
            places = ", ".join(f"{one.after} and {one.before}" for one in found.points)
            yield f"{measure} takes another direction between steps {places}"


def _skipped(checkpoints: list[CheckpointResult]) -> list[str]:
    """Return one line per reason, of the first checkpoint: all of a series have the same tensors."""
    reasons: dict[str, list[str]] = {}
    for skipped in checkpoints[0].coverage.tensors.skipped if checkpoints else []:
        reasons.setdefault(skipped.reason, []).append(skipped.name)
    return [
        f"skipped {len(names)} tensor{'s' if len(names) > 1 else ''} ({reason}), such as {names[0]}"
        for reason, names in reasons.items()
    ]


def end_with(failed: Sequence[FailedCheckpoint], *, found: int) -> None:
    """End a command whose checkpoints could not all be measured: each with its sentence, and exit code 3."""
    if not failed:
        return
    for one in failed:
        messages.print(f"step {'-' if one.step is None else one.step}: {one.sentence}")
    messages.print(f"{found - len(failed)} of {found} checkpoints measured; {len(failed)} failed")
    raise typer.Exit(EXIT_SOME_FAILED)


def tell_left_out(sentences: Sequence[str]) -> None:
    """Say of rows and files that cannot be taken why, each with its sentence."""
    for sentence in sentences[:MOST_TOLD]:
        messages.print(sentence)
    if len(sentences) > MOST_TOLD:
        messages.print(f"and {len(sentences) - MOST_TOLD} more")
    if sentences:
        messages.print(f"{len(sentences)} left out, the rest is taken; --strict takes all or nothing")


def _written(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror}") from None
