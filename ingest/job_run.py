"""One worker's part in one job: it lists the units, takes them one by one as long as any is free, and ends the job.

Every worker does each of these where it finds it to be done. The baseline is measured once by each worker of a job,
when it meets the first checkpoint that has to be read.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from neuromfa.analysis import CheckpointAnalysis, failure_of, measured_baseline, sentence_of
from neuromfa.carry import Outcome, each_carried
from neuromfa.checkpoints import CheckpointSeries
from neuromfa.errors import (
    CheckpointMissing,
    JobError,
    NeuroMFAError,
    StoreConflict,
    StoreError,
    StoreUnavailable,
)
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import Job, JobQueue, Status
from neuromfa.graph.units import Unit, Units, units_of
from neuromfa.ingest.executors import InlineExecutor
from neuromfa.ingest.heartbeat import Heartbeat
from neuromfa.ingest.recognise import as_seen, failed_before, key_maker, known_of
from neuromfa.ingest.request import IngestRequest
from neuromfa.ingest.unit_task import Given, Here, Told, UnitTask, elsewhere, write_unit
from neuromfa.results import FailedCheckpoint, Reading, from_json, to_json
from neuromfa.summarise import Baseline

Report = Callable[[int, int, str], None]
"""Called with units done, units in all, and what is under way."""


def silent(done: int, total: int, doing: str) -> None:  # noqa: ARG001  the shape of a Report
    """Tell nobody."""


def opened(
    request: IngestRequest, *, follow_links: bool = False
) -> tuple[CheckpointSeries, CheckpointSeries]:
    """Return a series and what is asked for of it; what is wrong with the request is raised.

    Raises
    ------
    SourceError : it cannot be opened, or has not the steps, or not the step that is the baseline
    """
    series = request.open(follow_links=follow_links)
    if request.options.baseline.isdecimal():
        series.at(int(request.options.baseline))
    return series, series.select(request.steps)


@dataclass
class Tally:
    """What this worker did for a job.

    Attributes
    ----------
    error : what ended a job that stops at its first failure
    """

    spectra: int = 0
    graphs: int = 0
    edges: int = 0
    recognised: int = 0
    bytes_read: int = 0
    replaced: int = 0
    failed: list[FailedCheckpoint] = field(default_factory=list)
    error: Exception | None = None

    def add(self, told: Told) -> None:
        """Count one unit."""
        self.spectra += told.spectra
        self.graphs += told.graphs
        self.edges += told.edges
        self.recognised += told.recognised
        self.bytes_read += told.bytes_read
        if told.failure is not None:
            self.failed.append(told.failure)


class JobRun:
    """One worker's part in one job.

    Parameters
    ----------
    units : the units of the store, as this worker takes them
    beat : keeps what the worker holds of the job
    executor : where checkpoints are measured and written; None does it in this thread
    stop : asked after every unit; True takes no more of them
    report : told after every unit
    tell : told in a sentence of units that another worker took over
    follow_links : see `IngestRequest.open`

    Attributes
    ----------
    stopped : told to stop, or the job was cancelled
    """

    def __init__(
        self,
        store: GraphStore,
        queue: JobQueue,
        units: Units,
        job: Job,
        beat: Heartbeat,
        *,
        executor: Executor | None,
        stop: Callable[[], bool],
        report: Report = silent,
        tell: Callable[[str], None] = lambda _: None,
        follow_links: bool = False,
    ) -> None:
        self._store, self._queue, self._units, self._job, self._beat = store, queue, units, job, beat
        self._executor, self._stop = executor or InlineExecutor(), stop
        self._report, self._tell = report, tell
        self._follow_links, self.stopped = follow_links, False
        self.request = IngestRequest.from_json(job.request)
        self.tally = Tally()

    @cached_property
    def _series(self) -> tuple[CheckpointSeries, CheckpointSeries]:
        return opened(self.request, follow_links=self._follow_links)

    def list_units(self) -> Job:
        """Make the units of a job that is held: one for every checkpoint that is asked for.

        Raises
        ------
        SourceError : the series cannot be opened
        OptionError : the model of its name came from another source
        """
        (series, selected), request = self._series, self.request
        self._store.claim_model(
            series.id, source=series.source, same_run=request.same_run, left_out=list(series.left_out)
        )
        if request.retry_failed:
            selected = failed_before(self._store, selected, has_baseline=self._has_baseline)
        found = [(one.step, one.revision) for one in selected.checkpoints]
        return self._queue.list_units(self._job, self._units.worker, model=series.id, checkpoints=found)

    def take_units(self, first: Unit | None = None) -> None:
        """Take units until none is free; `first` is one that was taken already.

        Raises
        ------
        SourceError : the series cannot be opened here; what was taken is put back with that sentence
        StoreError : the store does not take what is written; what was taken is put back, where it answers
        """
        try:
            self._take_units(first)
        except StoreUnavailable:
            self._put_back("")
            raise
        except Exception as error:
            self._put_back(sentence_of(error))
            raise
        except BaseException:
            self._put_back("")
            raise
        self._put_back("")

    def _put_back(self, sentence: str) -> None:
        with suppress(StoreError):
            self._units.release(self._beat.held, sentence=sentence)
        for id in self._beat.held:
            self._beat.let(id)

    def _take_units(self, first: Unit | None) -> None:
        if first is not None:
            self._beat.keep(first.id)
        unread = self._unread(first)
        met = next(unread, None)
        if met is None:
            return
        task = self._task(met)
        if task is None:
            return
        carried = each_carried(self._executor, task, chain([met], unread))
        try:
            for outcome in carried:
                self._take(outcome)
                if self.stopped:
                    break
        finally:
            carried.close()  # type: ignore[attr-defined]

    def _unread(self, first: Unit | None) -> Iterator[Given]:
        """Take units and yield those that have to be read; the others are ended on the way."""
        unit = first or self._claimed()
        if unit is None:
            return
        (series, selected), request = self._series, self.request
        model, steps = series.id, {one.step: one for one in selected.checkpoints}
        key_of = key_maker(series, request.options)
        # what failed is never known by its files, so that only who wants all read has to look past them
        seen = {} if request.reads_all else self._store.seen(model)
        while unit is not None:
            checkpoint, known = steps.get(unit.step), known_of(self._store, model, unit.step)
            known = replace(known, analyses=frozenset()) if request.measure_again else known
            if unit.given_up:
                self._fail(unit.id, unit.step, unit.revision, JobError(unit.given_up))
            elif checkpoint is None:
                gone = CheckpointMissing(
                    f"the series {request.source} has it no more; it was there when listed"
                )
                self._fail(unit.id, unit.step, unit.revision, gone)
            else:
                key = key_of(checkpoint)
                stored = as_seen(checkpoint, key, seen=seen.get(unit.step, []), known=known, request=request)
                if stored is None:
                    yield Given(unit.id, checkpoint, known, key, self._store.write_access)
                else:
                    self._write(unit.id, stored)
            unit = self._claimed()

    def _claimed(self) -> Unit | None:
        if self.stopped or self._beat.cancelled:
            return None
        unit = self._units.claim(self._job.id, held=self._beat.held)
        if unit is not None:
            self._beat.keep(unit.id)
        return unit

    def _task(self, met: Given) -> UnitTask | None:
        """Return what all units need; None where there is no baseline and the job stops at its first failure."""
        try:
            baseline = self._baseline
        except (NeuroMFAError, OSError) as error:
            self._fail(met.id, met.checkpoint.step, met.checkpoint.revision, error)
            return None
        here = isinstance(self._executor, InlineExecutor)
        return UnitTask(
            self._series[0].id,
            self.request,
            baseline,
            self._units.worker,
            self._units.lease_ms,
            Here(self._store) if here else elsewhere,
        )

    @cached_property
    def _baseline(self) -> Baseline | None:
        """Measured once; how it was read is kept for whoever ends the job, and why it is not there is told."""
        options, strict = self.request.options, self.request.strict
        baseline = measured_baseline(self._series[0], options, strict=strict)
        if baseline is not None and baseline.reading is not None:
            self._queue.note_baseline(self._job, to_json(baseline.reading))
        if baseline is not None and baseline.failure is not None:
            now = self._queue.job(self._job.id)
            self._report(now.done, now.total, f"the baseline could not be measured: {baseline.failure}")
        return baseline

    def _has_baseline(self) -> bool:
        return self._baseline is None or self._baseline.failure is None

    def _take(self, outcome: Outcome[Given, Told]) -> None:
        """Count what was done with a unit elsewhere, or say of it why it could not be."""
        given, error = outcome.unit, outcome.error
        if outcome.answer is not None:
            self._ended(given.id, outcome.answer)
        elif isinstance(error, StoreConflict):
            self._let(given.id, error)
        elif isinstance(error, StoreUnavailable):
            self._store.ping()  # brings back an embedded server that is gone, maybe at another address
            self._let(given.id, error)
        elif isinstance(error, StoreError):
            raise error
        elif error is not None:
            self._fail(given.id, given.checkpoint.step, given.checkpoint.revision, error)

    def _fail(self, id: str, step: int | None, revision: str, error: Exception) -> None:
        failure = failure_of(step, revision, error)
        self._write(id, CheckpointAnalysis(step, revision, None, None, failure=failure), error)

    def _write(self, id: str, analysis: CheckpointAnalysis, error: Exception | None = None) -> None:
        """Write a unit of which nothing has to be measured."""
        try:
            told = write_unit(
                self._store, self._units, id, self._series[0].id, analysis, self.request, error=error
            )
        except StoreConflict as conflict:
            self._let(id, conflict)
        else:
            self._ended(id, told)

    def _let(self, id: str, trouble: StoreError) -> None:
        """Leave a unit to whoever has it, or put it back where it is ours and may be tried again."""
        self._tell(str(trouble))
        self._units.release([id], sentence=str(trouble))
        self._beat.let(id)

    def _ended(self, id: str, told: Told) -> None:
        self._beat.let(id)
        self.tally.add(told)
        if told.failure is not None and self.request.strict:
            self.tally.error = told.error
            self._queue.cancel(self._job.id, at_once=False)
        now = self._queue.job(self._job.id)
        self._report(now.done, now.total, "checkpoint" if told.step is None else f"step {told.step}")
        self.stopped = self.stopped or self._stop() or now.cancelling

    def end(self, job: Job) -> Job:
        """End a job that is held and has no open units: compare its steps, drop what it replaced, say how it went."""
        request, counts = self.request, job.units
        assert job.model is not None and counts is not None, "a job is ended after it was listed"
        if counts.done:
            text = self._queue.baseline_reading(job)
            reading = from_json(Reading, text) if text else None
            self._store.compare_steps(job.model, request.options, baseline=reading)
        if counts.done and not request.keep_old:
            dropped = self._store.drop_superseded(job.model)
            self.tally.replaced = dropped + self._store.drop_superseded_samples(job.model)
        status, message = self._ending(job)
        return self._queue.finish(job, self._units.worker, status, message=message, failed=counts.failed)

    def _ending(self, job: Job) -> tuple[Status, str]:
        counts = job.units
        assert counts is not None
        if counts.failed and self.request.strict:
            return "failed", units_of(self._store, job.id, status="failed", limit=1).items[0].sentence
        told = f"{counts.failed} of {counts.total} checkpoints failed" if counts.failed else ""
        return ("cancelled" if job.cancelling else "done"), told
