"""One unit of a job, done where it is sent: a checkpoint measured, its numbers and graphs written, the unit ended.

What travels to it are names and hashes, what comes back are numbers: a graph goes from the process that made it
into the store by that process's own connection.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter

from neuromfa.analysis import CheckpointAnalysis, Known, analyze_checkpoint, failure_of
from neuromfa.checkpoints import Checkpoint
from neuromfa.errors import NeuroMFAError
from neuromfa.graph import GraphStore, open_shared
from neuromfa.graph.catalog import Seen
from neuromfa.graph.connection import WriteAccess
from neuromfa.graph.units import Units
from neuromfa.ingest.request import IngestRequest
from neuromfa.results import FailedCheckpoint
from neuromfa.summarise import BASELINE_FAILED, Baseline

StoreOf = Callable[[WriteAccess], GraphStore]


@dataclass(frozen=True)
class Given:
    """What one unit needs beside what all of a job need.

    Attributes
    ----------
    id : of the unit
    checkpoint : to be read
    known : what of it is stored already
    key : under which it is known again without reading, or None
    access : to the store, as it is reached at this moment
    """

    id: str
    checkpoint: Checkpoint
    known: Known
    key: str | None
    access: WriteAccess


@dataclass(frozen=True)
class Told:
    """What became of one unit, in numbers.

    Attributes
    ----------
    spectra, graphs, edges : written, which were not there before
    recognised : nothing of it was read
    failure, error : why it has no numbers, in words and as it was raised
    """

    step: int | None
    spectra: int = 0
    graphs: int = 0
    edges: int = 0
    recognised: bool = False
    bytes_read: int = 0
    failure: FailedCheckpoint | None = None
    error: Exception | None = None


@dataclass(frozen=True, eq=False)
class UnitTask:
    """What all units of a job need; a process pool or a cluster keeps it once for all of them.

    Attributes
    ----------
    worker : in whose name units are written
    store_of : the store, in the process that asks
    """

    model: str
    request: IngestRequest
    baseline: Baseline | None
    worker: str
    lease_ms: int
    store_of: StoreOf

    def __call__(self, given: Given) -> Told:
        """Measure, write and end a unit; what is wrong with the checkpoint is told, what is with the store is raised.

        Raises
        ------
        StoreConflict : another worker has the unit by now; nothing more is written
        StoreError : the store did not take it; the unit is still ours
        """
        store, error = self.store_of(given.access), None
        try:
            analysis = self._measured(given)
        except Exception as raised:
            # whatever is wrong with one checkpoint is told of it, and the others go on
            error = raised
            step, revision = given.checkpoint.step, given.checkpoint.revision
            failure = failure_of(step, revision, raised)
            analysis = CheckpointAnalysis(step, revision, None, None, failure=failure)
        units = Units(store, self.worker, lease_ms=self.lease_ms)
        # numbers without E are to be measured again once there is a baseline
        key = None if self.baseline is not None and self.baseline.failure is not None else given.key
        return write_unit(store, units, given.id, self.model, analysis, self.request, key=key, error=error)

    def _measured(self, given: Given) -> CheckpointAnalysis:
        return analyze_checkpoint(
            given.checkpoint,
            self.request.options,
            self.baseline,
            known=given.known,
            graph_samples=self.request.graphs_per_checkpoint,
            strict=self.request.strict,
        )


def write_unit(
    store: GraphStore,
    units: Units,
    id: str,
    model: str,
    analysis: CheckpointAnalysis,
    request: IngestRequest,
    *,
    key: str | None = None,
    error: Exception | None = None,
) -> Told:
    """Write what a checkpoint gave and end its unit, as long as the unit is ours; raises as `UnitTask`."""
    begun = perf_counter()
    with units.fenced(id):
        told = _written(store, model, analysis, request, error)
        _remember(store, model, analysis, key)
    result, failure = analysis.result, analysis.failure
    units.end(
        id,
        "failed" if failure else "done",
        sentence=failure.sentence if failure else "",
        read_s=analysis.read_s,
        measure_s=analysis.measure_s,
        write_s=perf_counter() - begun,
        bytes_read=analysis.bytes_read,
        edges=told.edges,
        lacks_baseline=result is not None and result.emergence_reason == BASELINE_FAILED,
    )
    return told


def _written(
    store: GraphStore,
    model: str,
    analysis: CheckpointAnalysis,
    request: IngestRequest,
    error: Exception | None,
) -> Told:
    step, options, failure = analysis.step, request.options, analysis.failure
    if failure is not None:
        store.write_failure(model, failure)
        # a network without numbers may have graphs
        error = error or NeuroMFAError(failure.sentence)
    else:
        store.write_checkpoint(model, step, revision=analysis.revision)
    # a result that stands there is not measured again, so what else was measured with it comes before it
    written = _graphs_written(store, model, analysis, request)
    spectra = analysis.result is not None and store.write_result(
        model, analysis.result, options, again=request.measure_again
    )
    if analysis.result is None and analysis.analysis_hash is not None:
        store.make_newest(model, step, analysis.analysis_hash)
    return Told(
        step,
        spectra=int(spectra),
        graphs=len(written),
        edges=sum(written),
        recognised=failure is None and analysis.requests == 0,
        bytes_read=analysis.bytes_read,
        failure=failure,
        error=error,
    )


def _graphs_written(
    store: GraphStore, model: str, analysis: CheckpointAnalysis, request: IngestRequest
) -> list[int]:
    """Write graphs, and how their neurons stand against chance where that was tested; return the edges of each."""
    step, options = analysis.step, request.options
    written = [
        graph.n_edges for graph in analysis.graphs if store.write_sample(model, step, graph, options=options)
    ]
    store.make_newest_samples(model, step, analysis.known_graphs)
    for graph_hash, tests in analysis.tests.items():
        store.write_tests(model, step, graph_hash, tests, options=options)
    return written


def _remember(store: GraphStore, model: str, analysis: CheckpointAnalysis, key: str | None) -> None:
    """Keep what reading a checkpoint gave, once all of it is written."""
    identity = analysis.analysis_hash
    if key is not None and identity is not None and analysis.requests:
        store.write_seen(model, analysis.step, Seen(key, identity, analysis.graph_hashes))


@dataclass(frozen=True, eq=False)
class Here:
    """Gives the store that this process has open, to units that are done in it."""

    store: GraphStore

    def __call__(self, access: WriteAccess) -> GraphStore:  # noqa: ARG002  the shape of a StoreOf
        """Return the store."""
        return self.store


@lru_cache(maxsize=1)
def elsewhere(access: WriteAccess) -> GraphStore:
    """Give the store to units in another process, which keeps its connection for the next one."""
    return open_shared(access)
