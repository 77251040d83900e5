"""From a series of checkpoints to spectra and metrics, without a database.

The unit of work is one checkpoint with all its seeds: independent of the others once the baseline is measured,
so any `concurrent.futures.Executor` can carry it.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from neuromfa import __version__, mfa
from neuromfa.checkpoints import Checkpoint, CheckpointSeries, SampledCheckpoint
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.sampling.reinit import reinitialise_checkpoint
from neuromfa.errors import AnalysisError
from neuromfa.identity import analysis_hash, graph_hash
from neuromfa.network import SampleGraph
from neuromfa.options import (
    BASELINE_FIRST,
    BASELINE_NONE,
    BASELINE_REINIT,
    GRAPH_MAX_DISTANCE,
    AnalysisOptions,
)
from neuromfa.results import CheckpointResult, SeriesResult
from neuromfa.summarise import Baseline, Measures, summarise

Progress = Callable[[int, int, str], None]
"""Called with checkpoints done, checkpoints in all, and what is under way."""

NOTES = (
    "Ignored by the method: biases, norms, embeddings, unembedding and the residual stream.",
    "E is not comparable between models, widths, initialisations or weight decays.",
    "E mostly follows the scale of the weights: read it beside its nulls. What the shuffled null gives too is not "
    "arrangement.",
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
    analysis_hash : identity of its numbers
    result : the numbers, or None where they were known
    graphs : the graphs asked for that were not known
    bytes_read, requests : what sampling took
    """

    step: int | None
    revision: str
    analysis_hash: str
    result: CheckpointResult | None
    graphs: tuple[SampleGraph, ...]
    bytes_read: int
    requests: int


def analyze(
    series: CheckpointSeries,
    options: AnalysisOptions,
    *,
    steps: str = "all",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> SeriesResult:
    """Measure the chosen steps of a series.

    Parameters
    ----------
    series : the whole series; a baseline outside the chosen steps is found in it
    steps : ``all``, ``paper``, or numbers joined by commas
    executor : where checkpoints are measured; None measures in this thread
    progress : told after every checkpoint

    Raises
    ------
    SourceError : a checkpoint is missing, broken or of an unknown architecture
    AnalysisError : no numbers exist for one of the checkpoints, which is named
    """
    total = len(series.select(steps).checkpoints)
    results = []
    for analysis in analyze_each(series, options, steps=steps, executor=executor):
        assert analysis.result is not None  # nothing was declared known
        results.append(analysis.result)
        if progress is not None:
            progress(len(results), total, _name(analysis.step))
    return SeriesResult(
        series=series.id,
        profile=options.profile,
        options=options,
        versions=versions(),
        checkpoints=results,
        notes=list(NOTES),
    )


def analyze_each(
    series: CheckpointSeries,
    options: AnalysisOptions,
    *,
    steps: str = "all",
    executor: Executor | None = None,
    known: Mapping[int | None, Known] | None = None,
    graph_samples: int = 0,
) -> Iterator[CheckpointAnalysis]:
    """Yield the chosen checkpoints in the order of training, measured; see `analyze` and `analyze_checkpoint`."""
    baseline = measure_baseline(series, options)
    task = _Task(options, baseline, known or {}, graph_samples)
    checkpoints = series.select(steps).checkpoints
    if executor is None:
        yield from map(task, checkpoints)
    else:
        # executor.map keeps the order, and hands over each answer as soon as those before it are there
        yield from executor.map(task, checkpoints)


@dataclass(frozen=True, eq=False)
class _Task:
    """A unit of work that a process pool or a cluster can carry."""

    options: AnalysisOptions
    baseline: Baseline | None
    known: Mapping[int | None, Known]
    graph_samples: int

    def __call__(self, checkpoint: Checkpoint) -> CheckpointAnalysis:
        known = self.known.get(checkpoint.step)
        return analyze_checkpoint(
            checkpoint, self.options, self.baseline, known=known, graph_samples=self.graph_samples
        )


def analyze_checkpoint(
    checkpoint: Checkpoint,
    options: AnalysisOptions,
    baseline: Baseline | None,
    *,
    known: Known | None = None,
    graph_samples: int = 0,
) -> CheckpointAnalysis:
    """Sample and measure one checkpoint.

    Parameters
    ----------
    baseline : what E is measured against, or None
    known : numbers and graphs that need not be made again
    graph_samples : graphs to return, of the first seeds
    """
    known = known or Known()
    sampled = sample(checkpoint, options)
    hashes = graph_hashes(sampled, options)
    identity = analysis_hash(hashes, options, baseline_hash=baseline.identity if baseline else None)
    wanted = [k for k in range(min(graph_samples, len(hashes))) if hashes[k] not in known.graphs]
    measures = Measures(sampled.networks, options, baseline)
    with _named(checkpoint.series, _name(checkpoint.step)):
        return CheckpointAnalysis(
            step=checkpoint.step,
            revision=checkpoint.revision,
            analysis_hash=identity,
            result=None
            if identity in known.analyses
            else summarise(checkpoint, sampled, hashes, measures, identity),
            graphs=tuple(_graph(measures, k, hashes[k]) for k in wanted),
            bytes_read=sampled.bytes_read,
            requests=sampled.requests,
        )


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
        return Baseline(sampled.networks, tuple(Measures(sampled.networks, options, None)), identity)


def sample(checkpoint: Checkpoint, options: AnalysisOptions) -> SampledCheckpoint:
    """Draw the networks of all seeds in one pass over the files."""
    return sample_checkpoint(checkpoint, nodes=options.nodes, seeds=options.seeds, row_rule=options.profile)


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


def versions() -> dict[str, str]:
    """Return the versions of all that numbers depend on."""
    found = {"neuromfa": __version__, "python": platform.python_version()}
    for package in ("numpy", "scipy", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _sample_baseline(series: CheckpointSeries, options: AnalysisOptions) -> SampledCheckpoint | None:
    chosen = options.baseline
    if chosen == BASELINE_NONE:
        return None
    if chosen == BASELINE_REINIT:
        return reinitialise_checkpoint(
            series.checkpoints[0], nodes=options.nodes, seeds=options.seeds, row_rule=options.profile
        )
    if chosen == BASELINE_FIRST:
        start = next((checkpoint for checkpoint in series.checkpoints if checkpoint.step == 0), None)
        return None if start is None else sample(start, options)
    return sample(series.at(int(chosen)), options)


def _graph(measures: Measures, k: int, identity: str) -> SampleGraph:
    network, options = measures.networks[k], measures.options
    edges, beyond = mfa.edges_of(network, scale=options.scale, max_distance=_graph_range(options))
    return SampleGraph(
        layers=network.layers,
        edges=edges,
        artificial=network.artificial,
        max_distance=_graph_range(options),
        beyond=beyond,
        graph_hash=identity,
        provenance=network.provenance,
        measures=measures[k].measures,
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
