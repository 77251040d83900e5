"""Units on real processes: few at a time, killed children, errors of any kind, and what travels once."""

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest

from neuromfa.analysis import CheckpointAnalysis, analyze_each
from neuromfa.carry import ENDED_TWICE, UNITS_A_WORKER, each_carried
from neuromfa.checkpoints import Checkpoint, CheckpointSeries, open_series
from neuromfa.errors import JobError
from neuromfa.ingest.executors import InlineExecutor, LocalProcesses, open_executor
from neuromfa.options import AnalysisOptions

SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"
FEW = AnalysisOptions(samples=2, nodes=8, nulls=False, baseline="none")
STEPS = "0,32,128,2000"


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    """Two real processes."""
    with open_executor(jobs=2) as executor:
        yield executor


def killed(folder: Path, times: int, opener: Callable[[], object]) -> object:
    """Open a checkpoint, unless the process has to be killed first; as many times as told."""
    died = len(list(folder.iterdir()))
    if died < times:
        (folder / f"died{died}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return opener()


def getpid_slowly() -> int:
    """Tell which process this is, and leave time for the other to take a call."""
    time.sleep(0.2)
    return os.getpid()


def raising(error: Exception) -> object:
    """Raise in place of opening a checkpoint."""
    raise error


def series_with(step: int, opener: Callable[[Checkpoint], Callable[[], object]]) -> CheckpointSeries:
    """Return the series with another opener at one step."""
    series = open_series(str(SERIES), steps=STEPS)
    points = tuple(
        replace(each, opener=opener(each)) if each.step == step else each  # type: ignore[arg-type]
        for each in series.checkpoints
    )
    return replace(series, checkpoints=points)


def measured(series: CheckpointSeries, executor: Executor) -> list[CheckpointAnalysis]:
    return list(analyze_each(series, FEW, executor=executor, baseline=None))


def test_a_child_killed_once_costs_nothing(pool: Executor, tmp_path: Path) -> None:
    series = series_with(32, lambda each: partial(killed, tmp_path, 1, each.opener))
    found = measured(series, pool)
    assert [one.step for one in found] == [0, 32, 128, 2000]
    assert all(one.failure is None for one in found)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_unit_that_kills_its_child_twice_fails_alone(pool: Executor, tmp_path: Path) -> None:
    series = series_with(32, lambda each: partial(killed, tmp_path, 99, each.opener))
    found = measured(series, pool)
    assert [one.step for one in found if one.failure is None] == [0, 128, 2000]
    failure = found[1].failure
    assert failure is not None and failure.step == 32
    assert (failure.error, failure.sentence) == ("JobError", ENDED_TWICE)
    assert len(list(tmp_path.iterdir())) == 2, "once beside others, once alone"


@pytest.mark.timeout(200)
def test_a_child_killed_while_the_pool_ends_is_not_waited_for() -> None:
    with open_executor(jobs=2) as pool:
        pids = {each.result() for each in [pool.submit(getpid_slowly) for _ in range(4)]}
        for pid in pids:  # all wait for their next call; one of them holds the lock of the queue
            os.kill(pid, signal.SIGSTOP)
        os.kill(min(pids), signal.SIGKILL)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("odd"), ValueError("broken header")])
def test_any_error_of_a_unit_is_its_own(pool: Executor, error: Exception) -> None:
    series = series_with(128, lambda _: partial(raising, error))
    kind = type(error).__name__
    for executor in (pool, InlineExecutor()):
        found = measured(series, executor)
        assert [one.step for one in found if one.failure is None] == [0, 32, 2000]
        failure = found[2].failure
        assert failure is not None and failure.error == kind
        assert failure.sentence == (f"{kind}: {error}" if str(error) else kind)
    with pytest.raises(type(error)):
        list(analyze_each(series, FEW, executor=pool, baseline=None, strict=True))


def marked(folder: Path, unit: int) -> int:
    """Leave a mark that a unit ran."""
    (folder / str(unit)).touch()
    return unit


def test_few_units_are_ahead_of_what_was_taken(pool: Executor, tmp_path: Path) -> None:
    taken = 0
    for outcome in each_carried(pool, partial(marked, tmp_path), range(20)):
        assert outcome.answer == taken
        if taken in (0, 7):
            time.sleep(1.0)
        assert len(list(tmp_path.iterdir())) <= taken + UNITS_A_WORKER * 2
        taken += 1
    assert taken == 20


def test_in_this_process_nothing_runs_ahead(tmp_path: Path) -> None:
    for taken, _ in enumerate(each_carried(InlineExecutor(), partial(marked, tmp_path), range(3))):
        assert len(list(tmp_path.iterdir())) == taken + 1


class Weighed:
    """A large task that counts how often it is pickled."""

    def __init__(self, counts: Path) -> None:
        self.counts, self.ballast = counts, b"x" * 10_000_000

    def __call__(self, unit: int) -> int:
        return unit + len(self.ballast)

    def __getstate__(self) -> dict[str, object]:
        (self.counts / f"pickled{len(list(self.counts.iterdir()))}").touch()
        return self.__dict__

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__ |= state
        (self.counts / f"read by {os.getpid()}").touch(exist_ok=False)


def test_what_all_units_need_travels_once(tmp_path: Path) -> None:
    counts, folder = tmp_path / "counts", tmp_path / "held"
    counts.mkdir()
    folder.mkdir()
    executor = LocalProcesses(2, folder)
    found = [one.answer for one in each_carried(executor, Weighed(counts), range(12))]
    executor.shutdown()
    assert found == [unit + 10_000_000 for unit in range(12)]
    names = [path.name for path in counts.iterdir()]
    assert len([name for name in names if name.startswith("pickled")]) == 1
    assert 1 <= len([name for name in names if name.startswith("read by")]) <= 2
    assert list(folder.iterdir()) == [], "nothing stays behind"


def test_an_executor_of_another_kind_that_broke_is_told(tmp_path: Path) -> None:
    series = series_with(0, lambda each: partial(killed, tmp_path, 99, each.opener))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        with pytest.raises(JobError, match="takes no more work"):
            measured(series, other)


def test_a_unit_that_cannot_travel_fails_alone(pool: Executor) -> None:
    series = series_with(128, lambda _: lambda: None)
    failure = measured(series, pool)[2].failure
    assert failure is not None
    with pytest.raises(Exception, match="pickle|local"):
        pickle.dumps(series.checkpoints[2])
