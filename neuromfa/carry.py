"""Units of work on an executor: few at a time, in order; what all of them need travels once, and one unit's end is its.

An executor of this project (`UnitExecutor`) says how many units it carries at once, keeps what all units need where
its workers find it, and can be made anew after a worker process died. Any other `Executor` works too, without that.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from neuromfa.errors import JobError

Unit = TypeVar("Unit")
Answer = TypeVar("Answer")

UNITS_A_WORKER = 2
LOST = (BrokenExecutor, CancelledError)
ENDED_TWICE = (
    "the process that measured it ended twice, killed or out of memory; give it more, or run fewer --jobs"
)


@runtime_checkable
class Held(Protocol):
    """Stands for a value that a worker process has to fetch."""

    def fetch(self) -> Any:
        """Return the value; a worker fetches it once."""


class UnitExecutor(Executor):
    """An executor that carries units of work.

    Attributes
    ----------
    window : units that may be measured or under way and not yet taken
    """

    window: int = 1

    def hold(self, value: Any) -> Any:
        """Keep a value where every worker finds it; what is returned stands for it in calls."""
        return value

    def release(self, held: Any) -> None:
        """Forget a value that was held."""

    def renew(self) -> None:
        """Start again after a worker process died."""


@dataclass(frozen=True, eq=False)
class Outcome(Generic[Unit, Answer]):
    """What became of one unit: an answer, or the error that is its own."""

    unit: Unit
    answer: Answer | None
    error: Exception | None = None


def each_carried(
    executor: Executor, task: Callable[[Unit], Answer], units: Iterable[Unit]
) -> Iterator[Outcome[Unit, Answer]]:
    """Yield what became of every unit, in their order.

    At most `UNITS_A_WORKER` units a worker are under way or finished and not yet taken. When a worker process dies,
    those that were under way run once more, each alone, so that the one that ends its process is known: it has an
    error, and the others go on.

    Raises
    ------
    JobError : the executor is gone and cannot be made anew
    """
    carrier = _Carrier(executor, task)
    waiting, under_way = iter(units), deque[tuple[Unit, Future[Answer]]]()
    window = _window(executor)
    try:
        while True:
            while len(under_way) < window and (unit := next(waiting, None)) is not None:
                under_way.append((unit, carrier.submit(unit)))
            if not under_way:
                return
            if _is_lost(under_way[0][1]):
                under_way = deque(carrier.again(under_way))
            unit, future = under_way.popleft()
            yield _outcome(unit, future)
    finally:
        for _, future in under_way:
            future.cancel()
        carrier.close()


class _Carrier(Generic[Unit, Answer]):
    """Submits units of one task, and makes the executor anew after a death."""

    def __init__(self, executor: Executor, task: Callable[[Unit], Answer]) -> None:
        self._executor, self._task = executor, task
        self._held = self._hold()

    def submit(self, unit: Unit) -> Future[Answer]:
        """Put a unit under way; an executor that broke meanwhile answers with a future that is lost."""
        try:
            return self._executor.submit(run_held, self._held, unit)
        except BrokenExecutor as error:
            future: Future[Answer] = Future()
            future.set_exception(error)
            return future

    def again(
        self, under_way: Iterable[tuple[Unit, Future[Answer]]]
    ) -> Iterator[tuple[Unit, Future[Answer]]]:
        """Run what was lost once more, one unit at a time; what is lost again has a `JobError`."""
        self._renew()
        for unit, future in under_way:
            yield unit, self._alone(unit) if _is_lost(future) else future

    def close(self) -> None:
        """Give back what was held."""
        if isinstance(self._executor, UnitExecutor):
            self._executor.release(self._held)

    def _alone(self, unit: Unit) -> Future[Answer]:
        future = self.submit(unit)
        if _is_lost(future):
            if future.cancelled():
                raise JobError(
                    "the cluster drops what it is given to measure; see its scheduler, then start again"
                )
            self._renew()
            future = Future()
            future.set_exception(JobError(ENDED_TWICE))
        return future

    def _hold(self) -> Any:
        return self._executor.hold(self._task) if isinstance(self._executor, UnitExecutor) else self._task

    def _renew(self) -> None:
        if not isinstance(self._executor, UnitExecutor):
            raise JobError("a worker process of the executor ended, and it takes no more work; start again")
        self._executor.release(self._held)
        self._executor.renew()
        self._held = self._hold()


def run_held(held: Any, unit: Any) -> Any:
    """Call a held task with a unit; in the worker."""
    task = held.fetch() if isinstance(held, Held) else held
    return task(unit)


def _window(executor: Executor) -> int:
    if isinstance(executor, UnitExecutor):
        return executor.window
    return UNITS_A_WORKER * (getattr(executor, "_max_workers", None) or os.cpu_count() or 1)


def _is_lost(future: Future[Any]) -> bool:
    """Wait for a future and tell whether its worker was lost."""
    try:
        return isinstance(future.exception(), LOST)
    except CancelledError:
        return True


def _outcome(unit: Unit, future: Future[Answer]) -> Outcome[Unit, Answer]:
    error = future.exception()
    if error is None:
        return Outcome(unit, future.result())
    if not isinstance(error, Exception):
        raise error
    return Outcome(unit, None, error)
