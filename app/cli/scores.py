"""`neuromfa scores`: benchmark scores onto stored checkpoints, and how the measures go along with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from neuromfa.app.cli.correlation_table import print_correlations
from neuromfa.app.cli.options import AsJson, DataDir
from neuromfa.app.cli.output import EXIT_SOME_FAILED, console, tell_left_out, write_json
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.correlations import Correlation, correlate
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from neuromfa.score_files import GivenScores, collect_scores, published_scores
from neuromfa.scores import Score


def scores(
    model: Annotated[str, typer.Argument(help="Id of the model in the store.")],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV file with the columns step, task, metric, value and perhaps stderr, model; a result file of "
            "lm-evaluation-harness; or a folder of these."
        ),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Take the published zero-shot scores of a Pythia model.")
    ] = False,
    step: Annotated[
        str | None,
        typer.Option(help="Step of a result file that tells none; - for a checkpoint without one."),
    ] = None,
    from_step: Annotated[int, typer.Option(min=0, help="First step that takes part in correlations.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing where a row or a file cannot be taken.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put benchmark scores onto stored checkpoints, then show how E, alpha0 and width go along with them."""
    if file is not None and published:
        raise OptionError("give a FILE or --published, not both")
    if step is not None and file is None:
        raise OptionError("--step is the step of a FILE, and none is given")
    given = _given(file, published=published, model=model, step=step, strict=strict)
    tell_left_out(given.faults)
    with open_store(load_settings(data_dir=data_dir)) as store:
        unplaced = store.write_scores(model, given.scores)
        found = correlations(store, model, from_step=from_step)
    if as_json:
        write_json(found, "-")
    else:
        if given.scores:
            console.print(told(given.scores, unplaced))
        print_correlations(found)
    if given.faults:
        raise typer.Exit(EXIT_SOME_FAILED)


def _given(file: Path | None, *, published: bool, model: str, step: str | None, strict: bool) -> GivenScores:
    if published:
        return GivenScores(published_scores(model))
    return collect_scores(file, model=model, step=step, strict=strict) if file else GivenScores()


def correlations(store: GraphStore, model: str, *, from_step: int = 0) -> list[Correlation]:
    """Correlate the analysis of a model that is served by default with the scores it has."""
    return correlate(store.results(model), store.scores(model), from_step=from_step)


def told(given: Sequence[Score], unplaced: Sequence[Score]) -> str:
    """Return one sentence on what was written, and what was not because its step is not stored."""
    count = len(given) - len(unplaced)
    written = f"{count} score{'' if count == 1 else 's'} written"
    if not unplaced:
        return written
    steps = sorted({score.step for score in unplaced}, key=lambda step: -1 if step is None else step)
    named = ", ".join("-" if step is None else str(step) for step in steps[:10])
    more = f" and {len(steps) - 10} more" if len(steps) > 10 else ""
    return f"{written}; {len(unplaced)} of steps that are not in the store were left out ({named}{more})"
