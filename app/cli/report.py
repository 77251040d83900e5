"""`neuromfa report`: series as one file that a reviewer can open anywhere, with its numbers as JSON beside it."""

from pathlib import Path
from typing import Annotated

import typer

from neuromfa.app.cli.measured import WRITTEN, measured
from neuromfa.app.cli.options import Jobs, with_requests
from neuromfa.app.cli.output import EXIT_SOME_FAILED, Progress, console, messages, write_json
from neuromfa.app.pages.report import LARGEST_BYTES, report_data, report_of
from neuromfa.errors import AnalysisError, OptionError
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.request import IngestRequest
from neuromfa.results import SeriesResult
from neuromfa.score_files import collect_scores
from neuromfa.scores import Score

SCORES = "scores.csv"


@with_requests
def report(
    requests: list[IngestRequest],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write; its numbers go beside it as JSON.")
    ] = Path("report.html"),
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Benchmark scores of the series, as `analyze --scores` takes them; without it a scores.csv in the "
            "folder of a series is taken."
        ),
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Write a report of series (or of `analyze --json` files): one HTML file that stands alone, and its JSON."""
    if out.suffix not in (".html", ".htm"):
        raise OptionError(f"a report is an .html file, not {out}")
    if len({request.source for request in requests}) < len(requests):
        raise OptionError("a series is named twice: name each once")
    with open_executor(jobs=jobs) as executor, Progress("measuring") as progress:
        found = {request.source: measured(request, executor, progress) for request in requests}
    failed = [one for one in found.values() if not isinstance(one, SeriesResult)]
    series = {source: one for source, one in found.items() if isinstance(one, SeriesResult)}
    if not series:
        raise AnalysisError(failed[0].sentence)
    given = {one.series: _scores(source, one, scores) for source, one in series.items()}
    data = report_data(list(series.values()), {id: ones for id, ones in given.items() if ones})
    _write(out, report_of(data))
    write_json(data, str(out.with_suffix(WRITTEN)), indent=None)  # half the bytes
    for one in failed:
        messages.print(f"{one.id}: {one.sentence}", markup=False)
    if failed or any(one.failed for one in series.values()):
        raise typer.Exit(EXIT_SOME_FAILED)


def _scores(source: str, result: SeriesResult, given: Path | None) -> list[Score]:
    """Return the scores of a series: those given, or those in its folder."""
    beside = Path(source) / SCORES
    path = given or (beside if beside.is_file() else None)
    return collect_scores(path, model=result.series).scores if path else []


def _write(path: Path, text: str) -> None:
    size = len(text.encode())
    if size > LARGEST_BYTES:
        messages.print(
            f"the report has {size:,} bytes, more than the {LARGEST_BYTES:,} it should: name fewer series"
        )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror or error}") from None
    console.print(f"wrote {path}: {size:,} bytes")
