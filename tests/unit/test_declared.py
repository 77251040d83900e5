"""Validators of records are made one at a time, whichever threads ask first."""

import ast
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter

from neuromfa import declared
from neuromfa.app.one_parser import SAFE_SINCE, in_turn, parse_in_turn
from neuromfa.field_texts import texts_of


class Slow:
    """Work that takes a while and gives back what it was given; `most` is how much of it went on at once."""

    def __init__(self) -> None:
        self.under_way: list[object] = []
        self.most = 0

    def __call__(self, given: Any) -> Any:
        self.under_way.append(given)
        self.most = max(self.most, len(self.under_way))
        time.sleep(0.01)
        self.under_way.remove(given)
        return given


def in_threads(work: Callable[[str], str]) -> None:
    words = [str(k) for k in range(8)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, words)) == words


def test_two_threads_never_make_validators_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr(declared, "_adapter", slow)
    in_threads(declared.adapter)  # type: ignore[arg-type]
    assert slow.most == 1


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
    slow = Slow()
    in_threads(in_turn(slow))
    assert slow.most == 1
    parse_in_turn()
    parse_in_turn()
    assert hasattr(ast.parse, "__wrapped__") == (sys.version_info < SAFE_SINCE)
    assert not hasattr(getattr(ast.parse, "__wrapped__", None), "__wrapped__")
    assert ast.dump(ast.parse("1", mode="eval")) == "Expression(body=Constant(value=1))"
