"""`neuromfa compare`: several series beside one another, measured now or read from what `analyze --json` wrote."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from neuromfa import exports
from neuromfa.app.cli.comparison_table import print_comparison
from neuromfa.app.cli.measured import WRITTEN, measured
from neuromfa.app.cli.options import Jobs, with_requests
from neuromfa.app.cli.output import EXIT_SOME_FAILED, Progress, messages, write_json
from neuromfa.comparison import (
    Comparison,
    FailedSeries,
    Group,
    Source,
    check_groups,
    check_series,
    group_from,
)
from neuromfa.comparison import compare as compared
from neuromfa.comparison.align import axis_named
from neuromfa.errors import OptionError
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.request import IngestRequest
from neuromfa.results import SeriesResult


@with_requests
def compare(
    requests: list[IngestRequest],
    group: Annotated[
        list[str] | None,
        typer.Option(
            help="Replicates: name=A,B with sources as they are given; as often as there are groups."
        ),
    ] = None,
    by: Annotated[
        str, typer.Option(help="Axis: step, tokens, or share of training (step / last step).")
    ] = "step",
    jobs: Jobs = 1,
    json: Annotated[
        str | None, typer.Option(help="Write the comparison as JSON to this file; - is standard output.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row per series and step to this file.")] = None,
) -> None:
    """Compare series (or what `analyze --json` wrote): which hold structure beyond scale, and which differ."""
    asked = [request.source for request in requests]
    axis = axis_named(by)
    groups = [group_from(text, separator="=") for text in group or ()]
    check_series(asked)
    check_groups(groups, known=asked)
    with open_executor(jobs=jobs) as executor, Progress("measuring", show=json != "-") as progress:
        # files first: one that cannot be read ends the command before anything is measured
        found = {
            request.source: measured(request, executor, progress)
            for request in sorted(requests, key=lambda request: not request.source.endswith(WRITTEN))
        }
    series = {source: one for source in asked if isinstance(one := found[source], SeriesResult)}
    names = _names(series)
    comparison = compared(
        [Source.of(result, id=names[one]) for one, result in series.items()],
        by=axis,
        groups=[_named(one, names) for one in groups],
        failed=[one for one in found.values() if isinstance(one, FailedSeries)],
    )
    if json != "-":
        print_comparison(comparison)
    if json is not None:
        write_json(comparison, json)
    if csv is not None:
        _write_csv(comparison, csv)
    _end_with([*comparison.failed, *_failed_steps(series)])


def _names(series: dict[str, SeriesResult]) -> dict[str, str]:
    """Return what each source is called: its id, or as it was given where two have the same id."""
    counts = Counter(result.series for result in series.values())
    return {
        source: result.series if counts[result.series] == 1 else source for source, result in series.items()
    }


def _named(group: Group, names: dict[str, str]) -> Group:
    return replace(group, series=tuple(names.get(source, source) for source in group.series))


def _write_csv(comparison: Comparison, path: Path) -> None:
    try:
        exports.write_comparison_csv(comparison, path)
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror}") from None


def _failed_steps(series: dict[str, SeriesResult]) -> list[FailedSeries]:
    """Return the checkpoints that could not be measured, as what they belong to and at which step."""
    return [
        FailedSeries(id=f"{source}, step {one.step}", error=one.error, sentence=one.sentence)
        for source, result in series.items()
        for one in result.failed
    ]


def _end_with(failed: Sequence[FailedSeries]) -> None:
    """End a command in which something could not be measured: each with its sentence, and exit code 3."""
    if not failed:
        return
    for one in failed:
        messages.print(f"{one.id}: {one.sentence}", markup=False)
    raise typer.Exit(EXIT_SOME_FAILED)
