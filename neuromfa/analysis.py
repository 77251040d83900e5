"""From a series of checkpoints to spectra and metrics, without a database.

The unit of work is one checkpoint with all its seeds: independent of the others once the baseline is measured,
so any `concurrent.futures.Executor` can carry it.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter

from neuromfa import mfa, series_check
from neuromfa.beyond_scale import series_verdict
from neuromfa.carry import each_carried
from neuromfa.change_points import change_points
from neuromfa.checkpoints import Checkpoint, CheckpointSeries, SampledCheckpoint, open_series
from neuromfa.checkpoints.sampling.networks import Reads, sample_checkpoint
from neuromfa.checkpoints.sampling.reinit import reinitialise_checkpoint
from neuromfa.doubts import doubted
from neuromfa.errors import AnalysisError, NeuroMFAError, SourceError
from neuromfa.identity import analysis_hash, graph_hash
from neuromfa.network import NeuronTests, SampleGraph
from neuromfa.neuron_chance import chance_of, since_when, tests_of
from neuromfa.options import (
    BASELINE_FIRST,
    BASELINE_NONE,
    BASELINE_REINIT,
    GRAPH_MAX_DISTANCE,
    AnalysisOptions,
)
from neuromfa.plain_matrices import with_matrices
from neuromfa.results import CheckpointResult, FailedCheckpoint, SeriesResult
from neuromfa.summarise import BASELINE_FAILED, Baseline, Measures, reading_of, summarise
from neuromfa.versions import versions

Progress = Callable[[int, int, str], None]
"""Called with checkpoints done, checkpoints in all, and what is under way."""

NOTES = (
    "Ignored by the method: biases, norms, embeddings, unembedding and the residual stream.",
    "E is not comparable between models, widths, initialisations or weight decays.",
    "E mixes growth of the weights, their distribution and their arrangement; terms tell them apart, and excess and "
    "verdict speak of arrangement alone.",
    "At one hop numbers depend on the strengths of each neuron's weights, not on which neuron they lead to.",
    "Intervals are 95 % jackknife intervals over seeds at this number of neurons per layer; alpha0 depends on that "
    "number, and they do not speak of the whole network.",
)


@dataclass(frozen=True)
class Known:
    """Hashes of what a store holds of one checkpoint already; it need not be measured again."""

    analyses: frozenset[str] = frozenset()
    graphs: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class CheckpointAnalysis:
    """One checkpoint measured.

    Attributes
    ----------
    step, revision : which checkpoint
    analysis_hash : identity of its numbers, None where there are none
    result : the numbers, or None where they were known or do not exist
    failure : why there are none
    graphs : the graphs asked for that were not known; there may be some without numbers
    known_graphs : hashes of those that were
    tests : neurons against chance of the graphs asked for that were tested now, by hash
    graph_hashes : of the graphs of all seeds, whether asked for or not
    bytes_read, requests : what sampling took
    read_s, measure_s : seconds that sampling and all that came after it took
    """

    step: int | None
    revision: str
    analysis_hash: str | None
    result: CheckpointResult | None
    failure: FailedCheckpoint | None = None
    graphs: tuple[SampleGraph, ...] = ()
    known_graphs: tuple[str, ...] = ()
    tests: Mapping[str, NeuronTests] = field(default_factory=dict)
    graph_hashes: tuple[str, ...] = ()
    bytes_read: int = 0
    requests: int = 0
    read_s: float = 0.0
    measure_s: float = 0.0


def analyze(
    series: CheckpointSeries,
    options: AnalysisOptions,
    *,
    steps: str = "all",
    executor: Executor | None = None,
    progress: Progress | None = None,
    strict: bool = False,
) -> SeriesResult:
    """Measure the chosen steps of a series; one that cannot be measured is told in `failed`, and the rest goes on.

    Parameters
    ----------
    series : the whole series; a baseline outside the chosen steps is found in it
    steps : ``all``, ``paper``, or numbers joined by commas
    executor : where checkpoints are measured; None measures in this thread
    progress : told after every checkpoint
    strict : stop at the first checkpoint that cannot be measured

    Raises
    ------
    SourceError : a checkpoint is missing, broken or of an unknown architecture, and `strict` or no other is better
    AnalysisError : no numbers exist for a checkpoint, which is named, and `strict` or no other has some
    """
    total = len(series.select(steps).checkpoints)
    results: list[CheckpointResult] = []
    failed: list[FailedCheckpoint] = []
    baseline = measured_baseline(series, options, strict=strict or total == 1)
    for analysis in analyze_each(
        series, options, steps=steps, executor=executor, baseline=baseline, strict=strict or total == 1
    ):
        if analysis.result is not None:
            results.append(analysis.result)
        if analysis.failure is not None:
            failed.append(analysis.failure)
        if progress is not None:
            progress(len(results) + len(failed), total, _name(analysis.step))
    if not results:
        raise AnalysisError(f"none of {total} checkpoints could be measured; the first: {failed[0].sentence}")
    told = (
        [f"The baseline could not be measured: {baseline.failure}"] if baseline and baseline.failure else []
    )
    compared = _compared(results, options, baseline)
    return SeriesResult(
        series=series.id,
        profile=options.profile,
        options=options,
        versions=versions(),
        checkpoints=compared,
        notes=[*told, *NOTES],
        found=total,
        measured=len(results),
        failed=failed,
        left_out=list(series.left_out),
        verdict=series_verdict(compared, options),
        neurons_since=since_when(compared),
        change_points=change_points(compared),
    )


def _compared(
    results: list[CheckpointResult], options: AnalysisOptions, baseline: Baseline | None
) -> list[CheckpointResult]:
    """Return the results with what only the other steps of the series can tell, the baseline's among them."""
    readings = {one.step: one.reading for one in results if one.reading is not None}
    readings = series_check.with_baseline(readings, options, baseline.reading if baseline else None)
    found = series_check.findings(readings, baseline=series_check.baseline_step(options))
    return [found[one.step].on(one) if one.step in found else one for one in results]


def analyze_each(
    series: CheckpointSeries,
    options: AnalysisOptions,
    *,
    steps: str = "all",
    executor: Executor | None = None,
    known: Mapping[int | None, Known] | None = None,
    graph_samples: int = 0,
    baseline: Baseline | None,
    strict: bool = False,
) -> Iterator[CheckpointAnalysis]:
    """Yield the chosen checkpoints in the order of training, measured; see `analyze` and `analyze_checkpoint`.

    Parameters
    ----------
    baseline : what `measured_baseline` gave
    strict : raise where a checkpoint cannot be measured, instead of yielding its failure
    """
    task = _Task(options, baseline, graph_samples, strict)
    known = known or {}
    units = [_Unit(each, known.get(each.step, Known())) for each in series.select(steps).checkpoints]
    if executor is None:
        yield from map(task, units)
        return
    for outcome in each_carried(executor, task, units):
        if outcome.answer is not None:
            yield outcome.answer
        elif outcome.error is not None:
            yield task.failed(outcome.unit, outcome.error)


@dataclass(frozen=True, eq=False)
class _Unit:
    """One checkpoint to measure, and what of it is known."""

    checkpoint: Checkpoint
    known: Known


@dataclass(frozen=True, eq=False)
class _Task:
    """What all units of a series need; a process pool or a cluster keeps it once for all of them."""

    options: AnalysisOptions
    baseline: Baseline | None
    graph_samples: int
    strict: bool

    def __call__(self, unit: _Unit) -> CheckpointAnalysis:
        try:
            return analyze_checkpoint(
                unit.checkpoint,
                self.options,
                self.baseline,
                known=unit.known,
                graph_samples=self.graph_samples,
                strict=self.strict,
            )
        except Exception as error:
            # whatever is wrong with one checkpoint is told of it, and the others go on
            return self.failed(unit, error)

    def failed(self, unit: _Unit, error: Exception) -> CheckpointAnalysis:
        """Return what is told of a unit that gave no numbers; raises the error where one is enough to stop."""
        if self.strict:
            raise error
        checkpoint = unit.checkpoint
        failure = failure_of(checkpoint.step, checkpoint.revision, error)
        return CheckpointAnalysis(checkpoint.step, checkpoint.revision, None, None, failure=failure)


def failure_of(step: int | None, revision: str, error: Exception) -> FailedCheckpoint:
    """Return the record of a checkpoint that gave no numbers."""
    return FailedCheckpoint(step, revision, type(error).__name__, sentence_of(error))


def sentence_of(error: Exception) -> str:
    """Return what an error says, with its kind where it was not raised for a person to read."""
    kind, told = type(error).__name__, str(error)
    return told if told and isinstance(error, NeuroMFAError | OSError) else f"{kind}: {told}".rstrip(": ")


def analyze_checkpoint(
    checkpoint: Checkpoint,
    options: AnalysisOptions,
    baseline: Baseline | None,
    *,
    known: Known | None = None,
    graph_samples: int = 0,
    strict: bool = False,
) -> CheckpointAnalysis:
    """Sample and measure one checkpoint.

    Parameters
    ----------
    baseline : what E is measured against, or None
    known : numbers and graphs that need not be made again
    graph_samples : graphs to return, of the first seeds; also of a network that has no numbers
    strict : a network that has no numbers is an error, whether its graph was asked for or not

    Raises
    ------
    SourceError : it cannot be read
    AnalysisError : it has no numbers, and `strict` or no graph was asked for
    """
    known, begun = known or Known(), perf_counter()
    sampled = sample(checkpoint, options)
    read = perf_counter()
    hashes = graph_hashes(sampled, options)
    identity = analysis_hash(hashes, options, baseline_hash=baseline.identity if baseline else None)
    asked = range(min(graph_samples, len(hashes)))
    wanted = [k for k in asked if hashes[k] not in known.graphs]
    measures = Measures(sampled.networks, options, baseline)
    reads: list[Reads] = [sampled.reads]
    try:
        with _named(checkpoint.series, _name(checkpoint.step)):
            new = identity not in known.analyses
            result = summarise(checkpoint, sampled, hashes, measures, identity) if new else None
            result = result and doubted(result, sampled.networks, baseline)
            if result is not None and options.matrices:
                result, more = with_matrices(result, checkpoint, seed=options.seed)
                reads.append(more)
            tests = tests_of(sampled.networks, options) if result is not None else []
            if result is not None and tests:
                result = replace(result, neurons=chance_of(sampled.networks[: len(tests)], tests))
            graphs = tuple(_graph(measures, k, hashes[k]) for k in wanted)
    except AnalysisError as absent:
        if strict or not wanted:
            raise
        graphs = tuple(_graph(measures, k, hashes[k], bare=True) for k in wanted)
        measured = CheckpointAnalysis(
            checkpoint.step,
            checkpoint.revision,
            None,
            None,
            failure_of(checkpoint.step, checkpoint.revision, absent),
            graphs,
        )
    else:
        measured = CheckpointAnalysis(checkpoint.step, checkpoint.revision, identity, result, None, graphs)
        measured = replace(measured, tests={hashes[k]: tests[k] for k in asked if k < len(tests)})
    return replace(
        measured,
        known_graphs=tuple(hashes[k] for k in asked if k not in wanted),
        graph_hashes=tuple(hashes),
        bytes_read=sum(each.bytes_read for each in reads),
        requests=sum(each.requests for each in reads),
        read_s=read - begun,
        measure_s=perf_counter() - read,
    )


def measured_baseline(
    series: CheckpointSeries, options: AnalysisOptions, *, strict: bool = False
) -> Baseline | None:
    """Measure what E is measured against; one that cannot be measured is a `Baseline` that says why.

    Raises
    ------
    CheckpointMissing : the options name a step that the series does not have
    SourceError, AnalysisError : it cannot be measured, and `strict`
    """
    if options.baseline.isdecimal():
        series.at(int(options.baseline))
    try:
        return measure_baseline(series, options)
    except (SourceError, AnalysisError, OSError) as error:
        if strict:
            raise
        return Baseline((), (), identity=BASELINE_FAILED, failure=str(error) or type(error).__name__)


def measure_baseline(series: CheckpointSeries, options: AnalysisOptions) -> Baseline | None:
    """Measure what E is measured against; None where there is nothing to measure against.

    Raises
    ------
    CheckpointMissing : the options name a step that the series does not have
    """
    sampled = _sample_baseline(series, options)
    if sampled is None:
        return None
    identity = analysis_hash(graph_hashes(sampled, options), options, baseline_hash=None)
    with _named(series.id, f"baseline {options.baseline}"):
        measured = Baseline.of(sampled.networks, options, identity=identity)
    return replace(measured, reading=reading_of(sampled))


def sample(checkpoint: Checkpoint, options: AnalysisOptions) -> SampledCheckpoint:
    """Draw the networks of all seeds in one pass over the files."""
    return sample_checkpoint(checkpoint, nodes=options.nodes, seeds=options.seeds, row_rule=options.row_rule)


def graph_hashes(sampled: SampledCheckpoint, options: AnalysisOptions) -> list[str]:
    """Return the identity of the graph of every seed."""
    return [
        graph_hash(
            network.provenance,
            weights_hash=weights,
            scale=options.scale,
            graph_max_distance=_graph_range(options),
        )
        for network, weights in zip(sampled.networks, sampled.weights_hashes, strict=True)
    ]


def baseline_checkpoint(series: CheckpointSeries, options: AnalysisOptions) -> Checkpoint | None:
    """Return the checkpoint that is the baseline, or of which it is drawn anew; None where there is none.

    Raises
    ------
    CheckpointMissing : the options name a step that the series does not have
    """
    chosen = options.baseline
    if chosen == BASELINE_NONE:
        return None
    if chosen == BASELINE_REINIT:
        return series.checkpoints[0]
    if chosen == BASELINE_FIRST:
        return next((checkpoint for checkpoint in series.checkpoints if checkpoint.step == 0), None)
    if options.baseline_source is not None:
        source, step = options.baseline_source
        other = open_series(source)
        return other.checkpoints[-1] if step is None else other.at(step)
    return series.at(int(chosen))


def _sample_baseline(series: CheckpointSeries, options: AnalysisOptions) -> SampledCheckpoint | None:
    checkpoint = baseline_checkpoint(series, options)
    if checkpoint is None:
        return None
    if options.baseline == BASELINE_REINIT:
        return reinitialise_checkpoint(
            checkpoint, nodes=options.nodes, seeds=options.seeds, row_rule=options.row_rule
        )
    return sample(checkpoint, options)


def _graph(measures: Measures, k: int, identity: str, *, bare: bool = False) -> SampleGraph:
    """Return the graph of one seed, with the dimensions of its neurons unless it is `bare`."""
    return mfa.graph_of(
        measures.networks[k],
        graph_hash=identity,
        scale=measures.options.scale,
        max_distance=_graph_range(measures.options),
        measures=None if bare else measures[k].measures,
    )


def _graph_range(options: AnalysisOptions) -> float:
    return max(GRAPH_MAX_DISTANCE, options.max_distance)


@contextmanager
def _named(series: str, what: str) -> Iterator[None]:
    """Say in the sentence of an `AnalysisError` which checkpoint has no numbers."""
    try:
        yield
    except AnalysisError as error:
        raise type(error)(f"{series}, {what}: {error}") from error


def _name(step: int | None) -> str:
    return "the checkpoint" if step is None else f"step {step}"
