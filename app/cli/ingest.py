"""`neuromfa ingest`: measure a series and write graphs and spectra into the store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from neuromfa.app.cli.options import AsJson, DataDir, Jobs, with_storing_request
from neuromfa.app.cli.output import EXIT_SOME_FAILED, Progress, console, end_with, messages, write_json
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.checkpoints.locate import local_path
from neuromfa.checkpoints.transport.step_names import is_naming
from neuromfa.errors import AnalysisError
from neuromfa.graph import GraphStore
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.ingest import IngestSummary
from neuromfa.ingest.ingest import ingest as run_ingest
from neuromfa.ingest.plan import IngestPlan, planned
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import put
from neuromfa.sweep import sweeping_from, swept_options

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would read, write and take; do nothing.")
]
DetachFlag = Annotated[bool, typer.Option("--detach", help="Leave the work to a running `neuromfa worker`.")]
Dask = Annotated[str | None, typer.Option(help="Address of a Dask scheduler to measure on (extra dask).")]


Sweep = Annotated[
    str | None,
    typer.Option(
        help="Measure the series once with each of several values of one option, such as nodes=16,32,64: each is an "
        "analysis of its own, without graphs unless --graph-samples asks for them."
    ),
]


@dataclass(frozen=True)
class _Way:
    """How an ingest is to be done."""

    dry_run: bool
    detach: bool
    jobs: int
    dask: str | None
    as_json: bool


@with_storing_request
def ingest(
    ctx: typer.Context,
    request: IngestRequest,
    dry_run: DryRun = False,
    detach: DetachFlag = False,
    jobs: Jobs = 1,
    dask: Dask = None,
    sweep: Sweep = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Measure a series and write its spectra and the graphs of its first samples into the store."""
    request, way = _from_anywhere(request), _Way(dry_run, detach, jobs, dask, as_json)
    if sweep is not None:
        asked = sweeping_from(sweep)
        if not _is_given(ctx, "graph_samples"):
            request = replace(request, graph_samples=0)
        options = swept_options(request.options, asked)
        requests = {value: replace(request, options=own) for value, own in options.items()}
        with open_store(load_settings(data_dir=data_dir)) as store:
            _swept(requests, store, way, option=asked.option)
        return
    with open_store(load_settings(data_dir=data_dir)) as store:
        done = _done(request, store, way)
    if as_json and done is not None:
        write_json(done, "-")
    if isinstance(done, IngestSummary):
        end_with(done.failed, found=done.total)


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _swept(requests: Mapping[str, IngestRequest], store: GraphStore, way: _Way, *, option: str) -> None:
    """Do one ingest after the other, by value; one that cannot be done is told and leaves the others alone."""
    found: dict[str, IngestPlan | IngestSummary | None] = {}
    sentences = []
    for value, request in requests.items():
        if not way.as_json:
            console.print(f"{option} {value}", style="bold")
        try:
            found[value] = done = _done(request, store, way)
        except AnalysisError as error:
            sentences.append(f"{option} {value}: {error}")
            continue
        if isinstance(done, IngestSummary):
            steps = {"-" if one.step is None else one.step: one.sentence for one in done.failed}
            sentences += [f"{option} {value}, step {step}: {sentence}" for step, sentence in steps.items()]
    if way.as_json and not way.detach:
        write_json(found, "-")
    for sentence in sentences:
        messages.print(sentence)
    if sentences:
        raise typer.Exit(EXIT_SOME_FAILED)


def _done(request: IngestRequest, store: GraphStore, way: _Way) -> IngestPlan | IngestSummary | None:
    """Do one ingest, plan it, or leave it to a worker, and tell people of it."""
    if way.dry_run:
        plan = planned(request, store, follow_links=True)
        if not way.as_json:
            _show(plan)
        return plan
    if way.detach:
        job, new = put(store, request)
        state = "queued" if new else f"the same is {job.status} already:"
        console.print(f"{state} job {job.id}; a running `neuromfa worker` takes it")
        return None
    with (
        open_executor(jobs=way.jobs, dask=way.dask) as executor,
        Progress("opening", show=not way.as_json) as progress,
    ):
        summary = run_ingest(request, store, executor=executor, report=progress.update, follow_links=True)
    if not way.as_json:
        console.print(told(summary))
    return summary


def _show(plan: IngestPlan) -> None:
    console.print(
        f"{plan.model}: {plan.checkpoints} checkpoints, {plan.recognised} stored already, {plan.to_read} to read\n"
        f"read: {plan.bytes_to_read / 1e6:,.1f} MB in {plan.requests:,} requests, the baseline among it\n"
        f"write: at most {plan.graphs} graphs with {plan.relationships:,} relationships, "
        f"{plan.bytes_to_store / 1e6:,.0f} MB with transaction logs\n"
        f"time: about {plan.seconds:,.0f} s in one process (an estimate; a slow link comes on top)"
    )


def told(summary: IngestSummary) -> str:
    """Return one sentence on what an ingest did."""
    if summary.nothing_new and not summary.stopped:
        return (
            f"{summary.model}: all {summary.checkpoints} checkpoints were in the store already, nothing to do"
        )
    end = "; stopped, the same command goes on from there" if summary.stopped else ""
    if summary.replaced:
        end += f"; {summary.replaced} results and graphs of an older version of the method replaced"
    return (
        f"{summary.model}: {summary.spectra_written} spectra and {summary.graphs_written} graphs with "
        f"{summary.edges_written:,} relationships written, {summary.checkpoints - len(summary.failed)} of "
        f"{summary.total} checkpoints{end}"
    )


def _from_anywhere(request: IngestRequest) -> IngestRequest:
    """Return a request whose folders are named whole, so that a worker started elsewhere finds them."""
    options = request.options
    if options.baseline_source is not None:
        source, step = options.baseline_source
        options = replace(options, baseline=_absolute(source) + ("" if step is None else f"@{step}"))
    return replace(request, source=_absolute(request.source), options=options)


def _absolute(source: str) -> str:
    """Return a local path whole; other sources as they are."""
    path = local_path(source)
    if path is None:
        return source
    return str(path.parent.resolve() / path.name if is_naming(path.name) else path.resolve())
