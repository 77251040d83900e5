"""How patiently a server is asked: one policy for files, folders and the hub."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")

TRANSIENT = frozenset([408, 425, 429, 500, 502, 503, 504])
"""Statuses of servers that stumble: the same question may be answered in a while."""


@dataclass(frozen=True)
class RetryPolicy:
    """How patiently a server is asked.

    Attributes
    ----------
    timeout : seconds without a byte before an answer counts as dropped
    attempts : tries in a row that may bring nothing
    pause : seconds before the second try; doubled for each further one
    parallel : requests under way at once
    """

    timeout: float = 30.0
    attempts: int = 5
    pause: float = 0.5
    parallel: int = 8


class NoAnswer(Exception):
    """An answer that did not come, or broke off; worth another try, after `wait` seconds at least."""

    def __init__(self, reason: object, *, wait: float = 0.0) -> None:
        super().__init__(str(reason) or type(reason).__name__)
        self.wait = wait


def answered(
    question: Callable[[], Answer],
    policy: RetryPolicy,
    *,
    progress: Callable[[], int] = lambda: 0,
    sleep: Callable[[float], object] = time.sleep,
) -> Answer:
    """Put a question until it is answered.

    Parameters
    ----------
    question : raises `NoAnswer` where another try is worth it
    progress : what has come in so far; a try that brought something starts the count of failures anew
    sleep : waits so many seconds

    Raises
    ------
    NoAnswer : the last one, after `policy.attempts` tries in a row that brought nothing
    """
    failed = 0
    while True:
        before = progress()
        try:
            return question()
        except NoAnswer as error:
            failed = 1 if progress() > before else failed + 1
            if failed >= policy.attempts:
                raise
            sleep(max(policy.pause * 2 ** (failed - 1), error.wait))
