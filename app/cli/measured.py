"""A series that a command is given: measured now, or read from what `analyze --json` wrote."""

from concurrent.futures import Executor
from pathlib import Path

from pydantic import ValidationError

from neuromfa import analysis
from neuromfa.app.cli.output import Progress
from neuromfa.comparison import FailedSeries
from neuromfa.declared import sentence
from neuromfa.errors import AnalysisError, OptionError, SourceError
from neuromfa.ingest.request import IngestRequest
from neuromfa.results import SeriesResult, from_json

WRITTEN = ".json"


def measured(
    request: IngestRequest, executor: Executor | None, progress: Progress
) -> SeriesResult | FailedSeries:
    """Return the numbers of a source, or why it has none: the others can still be compared."""
    try:
        if request.source.endswith(WRITTEN):
            return _read(Path(request.source))
        return _analyzed(request, executor, progress)
    except (SourceError, AnalysisError) as error:
        if request.strict:
            raise
        return FailedSeries(id=request.source, error=type(error).__name__, sentence=str(error))


def _analyzed(request: IngestRequest, executor: Executor | None, progress: Progress) -> SeriesResult:
    series = request.open(follow_links=True)

    def tell(done: int, total: int, doing: str) -> None:
        progress.update(done, total, f"{series.id}, {doing}")

    return analysis.analyze(
        series,
        request.options,
        steps=request.steps,
        executor=executor,
        progress=tell,
        strict=request.strict,
    )


def _read(path: Path) -> SeriesResult:
    """Return what `analyze --json` wrote.

    Raises
    ------
    OptionError : no such file, or something else stands in it
    AnalysisError : it holds no checkpoint
    """
    try:
        result = from_json(SeriesResult, path.read_bytes())
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror or error}") from None
    except ValidationError as error:
        raise OptionError(f"{path} is not what `neuromfa analyze --json` writes: {sentence(error)}") from None
    if not result.checkpoints:
        raise AnalysisError(f"{path} holds no checkpoint")
    return result
