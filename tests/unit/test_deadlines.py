"""Limits on many queries are watched by one thread, which rings for those alone that are still under way."""

import threading
from typing import ClassVar

import pytest

from neuromfa.errors import QueryTimeout
from neuromfa.graph.deadline import Deadline


class Connection:
    """What a deadline cuts."""

    order: ClassVar[list["Connection"]] = []

    def __init__(self) -> None:
        self.cut = threading.Event()

    def kill(self) -> None:
        self.order.append(self)
        self.cut.set()


class Session:
    """The part of a driver's session that a deadline looks at."""

    def __init__(self) -> None:
        self._connection = Connection()
        self._config = type("Config", (), {"max_transaction_retry_time": 5.0})()


def test_a_thousand_limits_at_once_take_one_thread() -> None:
    with Deadline(Session(), limit=60, grace=0):  # type: ignore[arg-type]
        before = threading.active_count()
        held = [Deadline(Session(), limit=60, grace=0) for _ in range(1000)]  # type: ignore[arg-type]
        for one in held:
            one.__enter__()
        assert threading.active_count() == before
        for one in held:
            one.__exit__(None, None, None)


def test_what_is_late_is_cut_in_its_turn_and_what_ended_is_not() -> None:
    ended, late, later = Session(), Session(), Session()
    with Deadline(ended, limit=0.5, grace=0):  # type: ignore[arg-type]
        pass
    with pytest.raises(QueryTimeout, match="limit of 0.6 s"), Deadline(later, limit=0.6, grace=0.1):  # type: ignore[arg-type]
        with pytest.raises(QueryTimeout, match="limit of 0.05 s"), Deadline(late, limit=0.05, grace=0):  # type: ignore[arg-type]
            assert late._connection.cut.wait(60)
            raise OSError("the connection is gone")
        assert later._connection.cut.wait(60)  # by now the one that ended would have been cut too
        raise OSError("the connection is gone")
    cut = [one for one in Connection.order if one in {each._connection for each in (ended, late, later)}]
    assert cut == [late._connection, later._connection]
    assert late._config.max_transaction_retry_time < 0  # type: ignore[attr-defined]
