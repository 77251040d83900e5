"""Validators of records are made one at a time, whichever threads ask first."""

import ast
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from pydantic import TypeAdapter

from neuromfa import declared
from neuromfa.app.one_parser import SAFE_SINCE, in_turn, parse_in_turn


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


def test_the_texts_below_fields_are_read_once_however_many_records_hold_one() -> None:
    @dataclass
    class Inner:
        __pydantic_config__ = declared.DOCUMENTED
        a: int
        """What a is."""

    before = declared._texts_of.cache_info()
    for kind in (Inner, list[Inner], dict[str, Inner]):
        schema = TypeAdapter(kind).json_schema()
        told = schema if kind is Inner else schema["$defs"]["Inner"]
        assert told["properties"]["a"]["description"] == "What a is."
    after = declared._texts_of.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)


def test_a_service_parses_source_in_one_thread_at_a_time() -> None:
    inside, most = [], []

    def slow(text: str) -> str:
        inside.append(text)
        most.append(len(inside))
        time.sleep(0.01)
        inside.remove(text)
        return text

    words = [str(k) for k in range(8)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(in_turn(slow), words)) == words
    assert most == [1] * 8
    parse_in_turn()
    parse_in_turn()
    assert hasattr(ast.parse, "__wrapped__") == (sys.version_info < SAFE_SINCE)
    assert not hasattr(getattr(ast.parse, "__wrapped__", None), "__wrapped__")
    assert ast.dump(ast.parse("1", mode="eval")) == "Expression(body=Constant(value=1))"
