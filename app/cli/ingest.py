"""`neuromfa ingest`: measure a series and write graphs and spectra into the store."""

from dataclasses import replace
from typing import Annotated

import typer

from neuromfa.app.cli.options import AsJson, DataDir, Jobs, with_storing_request
from neuromfa.app.cli.output import Progress, console, end_with, write_json
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.checkpoints.locate import local_path
from neuromfa.checkpoints.transport.step_names import is_naming
from neuromfa.ingest.executors import open_executor
from neuromfa.ingest.ingest import IngestSummary
from neuromfa.ingest.ingest import ingest as run_ingest
from neuromfa.ingest.plan import IngestPlan, planned
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.worker import put

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what it would read, write and take; do nothing.")
]
DetachFlag = Annotated[bool, typer.Option("--detach", help="Leave the work to a running `neuromfa worker`.")]
Dask = Annotated[str | None, typer.Option(help="Address of a Dask scheduler to measure on (extra dask).")]


@with_storing_request
def ingest(
    request: IngestRequest,
    dry_run: DryRun = False,
    detach: DetachFlag = False,
    jobs: Jobs = 1,
    dask: Dask = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Measure a series and write its spectra and the graphs of its first samples into the store."""
    request = _from_anywhere(request)
    with open_store(load_settings(data_dir=data_dir)) as store:
        if dry_run:
            _show(planned(request, store, follow_links=True), as_json)
            return
        if detach:
            job, new = put(store, request)
            state = "queued" if new else f"the same is {job.status} already:"
            console.print(f"{state} job {job.id}; a running `neuromfa worker` takes it")
            return
        with (
            open_executor(jobs=jobs, dask=dask) as executor,
            Progress("opening", show=not as_json) as progress,
        ):
            summary = run_ingest(request, store, executor=executor, report=progress.update, follow_links=True)
    if as_json:
        write_json(summary, "-")
    else:
        console.print(told(summary))
    end_with(summary.failed, found=summary.total)


def _show(plan: IngestPlan, as_json: bool) -> None:
    if as_json:
        write_json(plan, "-")
        return
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
