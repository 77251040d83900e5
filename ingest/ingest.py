"""One ingest: measure every checkpoint, write its spectra and the graphs of its first samples, skip what is stored.

Measuring may run anywhere (see `executors`); only this process writes to the store.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import chain

from neuromfa.analysis import CheckpointAnalysis, analyze_each, measured_baseline
from neuromfa.graph import GraphStore
from neuromfa.graph.catalog import Seen
from neuromfa.ingest.recognise import Keys, failed_before, keys_of, known_of, recognised
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from neuromfa.results import FailedCheckpoint, Reading

Report = Callable[[int, int, str], None]
"""Called with units done, units in all, and what is under way."""


@dataclass(frozen=True)
class IngestSummary:
    """What an ingest did: checkpoints done, of how many, and the objects written (others stood there already).

    `replaced` counts results and graphs of older versions of the method that were dropped for new ones; `failed` are
    the checkpoints that could not be measured, which count as done; `recognised` those that were not read, as their
    files look as they did when they were stored; `bytes_read` what was read of the others, without the baseline.
    """

    model: str
    checkpoints: int
    total: int
    spectra_written: int
    graphs_written: int
    edges_written: int
    replaced: int = 0
    failed: list[FailedCheckpoint] = field(default_factory=list)
    recognised: int = 0
    bytes_read: int = 0

    @property
    def nothing_new(self) -> bool:
        """True when everything stood in the store already."""
        return self.spectra_written == self.graphs_written == len(self.failed) == 0

    @property
    def stopped(self) -> bool:
        """True when it was told to stop before the end."""
        return self.checkpoints < self.total


def ingest(
    request: IngestRequest,
    store: GraphStore,
    *,
    executor: Executor | None = None,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
    follow_links: bool = False,
) -> IngestSummary:
    """Bring a series into the store.

    Parameters
    ----------
    executor : where checkpoints are measured; None measures in this process
    report : told of progress, in checkpoints
    stop : asked between checkpoints; True ends the ingest, what is written stays and is complete
    follow_links : see `IngestRequest.open`
    """
    series = request.open(follow_links=follow_links)
    # what is wrong with the request is met before anything is written
    selected = series.select(request.steps)
    keys = {} if request.retry_failed else keys_of(series, selected, request.options)
    known = known_of(store, series.id)
    stored = {} if request.rehash else recognised(store, selected, keys, known, request)
    unread = replace(selected, checkpoints=tuple(c for c in selected.checkpoints if c.step not in stored))
    baseline = (
        measured_baseline(series, request.options, strict=request.strict) if unread.checkpoints else None
    )
    store.claim_model(
        series.id, source=series.source, same_run=request.same_run, left_out=list(series.left_out)
    )
    if request.retry_failed:
        unread = failed_before(store, selected, baseline)
    if baseline is not None and baseline.failure is not None:
        keys = {}  # numbers without E are to be measured again once there is a baseline
    total = len(stored) + len(unread.checkpoints)
    tally = _Tally(series.id, store, total, report or _silent, baseline.reading if baseline else None, keys)
    if baseline is not None and baseline.failure is not None:
        tally.report(0, tally.total, f"the baseline could not be measured: {baseline.failure}")
    measured = analyze_each(
        unread,
        request.options,
        executor=executor,
        known=known,
        graph_samples=request.graphs_per_checkpoint,
        baseline=baseline,
        strict=request.strict,
    )
    for analysis in chain(stored.values(), measured):
        tally.write(analysis, request.options)
        if stop():
            break
    if unread.checkpoints:
        store.compare_steps(series.id, request.options, baseline=tally.baseline)
    if not request.keep_old:
        tally.replaced = store.drop_superseded(series.id) + store.drop_superseded_samples(series.id)
    return tally.summary


def _silent(done: int, total: int, doing: str) -> None:  # noqa: ARG001  the shape of a Report
    """Tell nobody."""


@dataclass
class _Tally:
    """Writes one analysis after the other and counts."""

    model: str
    store: GraphStore
    total: int
    report: Report
    baseline: Reading | None
    keys: Keys
    done: int = 0
    spectra: int = 0
    graphs: int = 0
    edges: int = 0
    replaced: int = 0
    failed: list[FailedCheckpoint] = field(default_factory=list)
    recognised: int = 0
    bytes_read: int = 0

    def write(self, analysis: CheckpointAnalysis, options: AnalysisOptions) -> None:
        step = analysis.step
        name = "checkpoint" if step is None else f"step {step}"
        # told before anything is written: who lost its job is told so by the queue and stops here
        self.report(self.done, self.total, f"{name}: writing")
        if analysis.failure is not None:
            self.store.write_failure(self.model, analysis.failure)
            self.failed.append(analysis.failure)
        else:
            self.store.write_checkpoint(self.model, step, revision=analysis.revision)
        if analysis.tests:
            # a result that is there is not measured again, so what belongs to it on neurons comes before it
            self._write_graphs(analysis, options, name)
        if analysis.result is not None:
            self.spectra += self.store.write_result(self.model, analysis.result, options)
            self.store.compare_steps(self.model, options, baseline=self.baseline)
        elif analysis.analysis_hash is not None:
            self.store.make_newest(self.model, step, analysis.analysis_hash)
        if not analysis.tests:
            self._write_graphs(analysis, options, name)
        self._remember(analysis)
        self.done += 1
        self.bytes_read += analysis.bytes_read
        self.recognised += analysis.failure is None and analysis.requests == 0
        self.report(self.done, self.total, name)

    def _write_graphs(self, analysis: CheckpointAnalysis, options: AnalysisOptions, name: str) -> None:
        """Write the graphs of a checkpoint, and how their neurons stand against chance where that was tested."""
        for graph in analysis.graphs:
            self.report(self.done, self.total, f"{name}: writing {graph.n_edges:,} edges")
            written = self.store.write_sample(self.model, analysis.step, graph, options=options)
            self.graphs += written
            self.edges += graph.n_edges * written
        self.store.make_newest_samples(self.model, analysis.step, analysis.known_graphs)
        for graph_hash, tests in analysis.tests.items():
            self.store.write_tests(self.model, analysis.step, graph_hash, tests, options=options)

    def _remember(self, analysis: CheckpointAnalysis) -> None:
        """Keep what reading a checkpoint gave, once all of it is written."""
        key, identity = self.keys.get(analysis.step), analysis.analysis_hash
        if key is not None and identity is not None and analysis.requests:
            self.store.write_seen(self.model, analysis.step, Seen(key, identity, analysis.graph_hashes))

    @property
    def summary(self) -> IngestSummary:
        return IngestSummary(
            self.model,
            self.done,
            self.total,
            self.spectra,
            self.graphs,
            self.edges,
            self.replaced,
            self.failed,
            self.recognised,
            self.bytes_read,
        )
