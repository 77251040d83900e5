"""Validators of records are made one at a time, whichever threads ask first."""

import ast
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, make_dataclass
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter

from neuromfa import declared
from neuromfa.app.one_parser import SAFE_SINCE, in_turn, parse_in_turn
from neuromfa.field_texts import texts_of


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


@dataclass
class Outer:
    __pydantic_config__ = declared.DOCUMENTED
    a: int
    """What a is."""
    b: Annotated[int, Field(alias="bee")] = 0
    """What b is,
    in two lines."""
    c: Annotated[int, Field(description="Said beside it.")] = 0


@dataclass
class Inner(Outer):
    d: int = 0
    """What d is."""
    a: int = 0
    """Another a."""


@pytest.mark.parametrize("by_alias", [True, False])
def test_the_texts_below_fields_are_their_meanings_in_every_schema(by_alias: bool) -> None:
    schema = TypeAdapter(dict[str, Inner]).json_schema(by_alias=by_alias)
    told = {name: field["description"] for name, field in schema["$defs"]["Inner"]["properties"].items()}
    b = "bee" if by_alias else "b"
    assert told == {
        "a": "Another a.", b: "What b is,\nin two lines.", "c": "Said beside it.", "d": "What d is."
    }  # fmt: skip
    assert {name: field.meaning for name, field in declared.fields_of(Inner).items()} == {
        "a": "Another a.", "b": "What b is,\nin two lines.", "c": "Said beside it.", "d": "What d is."
    }  # fmt: skip


def test_a_record_made_by_a_function_has_its_texts_and_one_without_source_has_none() -> None:
    @dataclass
    class Within:
        a: int
        """What a is."""

    assert texts_of(Within) == {"a": "What a is."}
    assert texts_of(make_dataclass("Made", ["a"])) == {}


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
