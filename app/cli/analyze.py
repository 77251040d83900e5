"""`neuromfa analyze`: spectra and metrics of a series, no database."""

from pathlib import Path
from typing import Annotated

import typer

from neuromfa import analysis, plots
from neuromfa import sweep as sweeps
from neuromfa.app.cli.correlation_table import print_correlations
from neuromfa.app.cli.matrix_table import print_matrices
from neuromfa.app.cli.neuron_table import print_neurons
from neuromfa.app.cli.options import Jobs, with_request
from neuromfa.app.cli.output import (
    EXIT_SOME_FAILED,
    Progress,
    console,
    end_with,
    messages,
    print_series,
    tell_left_out,
    write_json,
    written_csv,
)
from neuromfa.app.cli.sweep_table import print_sweep, written_sweep_csv
from neuromfa.checkpoints import CheckpointSeries
from neuromfa.correlations import correlate
from neuromfa.errors import OptionError
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.request import IngestRequest
from neuromfa.score_files import GivenScores, collect_scores


@with_request
def analyze(
    request: IngestRequest,
    jobs: Jobs = 1,
    json: Annotated[
        str | None, typer.Option(help="Write the result as JSON to this file; - is standard output.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row per step to this file.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the charts into this folder (extra plots).")] = None,
    along: Annotated[
        plots.Along,
        typer.Option(
            help="What charts of single numbers run along: step, or tokens where names of steps tell them."
        ),
    ] = "step",
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Benchmark scores: a CSV file (step, task, metric, value), a result file of "
            "lm-evaluation-harness, or a folder of these."
        ),
    ] = None,
    from_step: Annotated[
        int, typer.Option(min=0, help="First step that takes part in correlations with the scores.")
    ] = 0,
    sweep: Annotated[
        str | None,
        typer.Option(
            help="Measure with several values of one option instead, such as nodes=16,32,64,128, and show how the "
            "numbers depend on it; --json and --csv then hold the sweep."
        ),
    ] = None,
) -> None:
    """Measure a series of checkpoints: spectra, alpha0, width and E with nulls and intervals beside them."""
    if plot is not None:
        plots.require()
    series = request.open(follow_links=True)
    if along == "tokens" and all(point.tokens is None for point in series.checkpoints):
        raise OptionError(
            f"the names of the steps of {series.source} tell no tokens to draw along; --naming may"
        )
    if sweep is not None:
        if plot is not None or scores is not None:
            raise OptionError("a sweep draws no charts and takes no scores: leave out --plot and --scores")
        _sweep(request, series, sweep, jobs=jobs, json=json, csv=csv)
        return
    told = collect_scores(scores, model=series.id, strict=request.strict) if scores else GivenScores()
    given = told.scores
    tell_left_out(told.faults)
    with open_executor(jobs=jobs) as executor, Progress("measuring", show=json != "-") as progress:
        result = analysis.analyze(
            series,
            request.options,
            steps=request.steps,
            executor=executor,
            progress=progress.update,
            strict=request.strict,
        )
    if json != "-":
        print_series(result)
        print_matrices(result.checkpoints)
        print_neurons(result)
        if given:
            print_correlations(correlate(result.checkpoints, given, from_step=from_step))
    if json is not None:
        write_json(result, json)
    if csv is not None:
        written_csv(result, csv)
    if plot is not None:
        for path in plots.render_series(result, plot, scores=given, along=along):
            console.print(f"drew {path}")
    end_with(result.failed, found=result.found)
    if told.faults:
        raise typer.Exit(EXIT_SOME_FAILED)


def _sweep(
    request: IngestRequest,
    series: CheckpointSeries,
    text: str,
    *,
    jobs: int,
    json: str | None,
    csv: Path | None,
) -> None:
    """Measure with every value of an option, show the numbers and write what is asked for."""
    asked = sweeps.sweeping_from(text)
    with open_executor(jobs=jobs) as executor, Progress("measuring", show=json != "-") as progress:
        found = sweeps.sweep(
            series,
            request.options,
            asked,
            steps=request.steps,
            executor=executor,
            progress=progress.update,
        )
    if json != "-":
        print_sweep(found)
    if json is not None:
        write_json(found, json)
    if csv is not None:
        written_sweep_csv(found, csv)
    for one in found.failed:
        step = "" if one.step is None else f", step {one.step}"
        messages.print(f"{asked.option} {one.value}{step}: {one.sentence}")
    if found.failed:
        raise typer.Exit(EXIT_SOME_FAILED)
