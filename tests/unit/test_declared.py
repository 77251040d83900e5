"""Validators of records are made one at a time, whichever threads ask first."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from neuromfa import declared


def test_two_threads_never_make_validators_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In Python 3.11 two threads that parse source at once can fail, and pydantic parses that of records."""
    making, most = [], []

    def slow(kind: object) -> object:
        making.append(kind)
        most.append(len(making))
        time.sleep(0.01)
        making.remove(kind)
        return kind

    monkeypatch.setattr(declared, "_adapter", slow)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(declared.adapter, range(8))) == list(range(8))
    assert most == [1] * 8
