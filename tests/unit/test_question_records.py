"""Questions as records: what they say of themselves, and the sentence for a value that does not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from neuromfa import questions
from neuromfa.errors import OptionError
from neuromfa.questions import QUESTIONS, Ball, Lineage, NeuronList, Question, ShortestPath, Subgraph
from neuromfa.questions.engine.request import example_of, request_of, words_of

KINDS = pytest.mark.parametrize("kind", QUESTIONS.values(), ids=QUESTIONS)


@KINDS
def test_a_question_says_what_it_is(kind: type[Question[Any, Any]]) -> None:
    assert {"model", "engine"} < set(words_of(kind))
    assert kind.purpose().endswith(".")
    assert len(words_of(kind)) == 1 + len(kind.where.model_fields) + len(kind.model_fields)
    assert all((field.description or "").endswith(".") for field in words_of(kind).values())


@KINDS
def test_every_field_of_an_answer_says_what_it_is(kind: type[Question[Any, Any]]) -> None:
    schema = TypeAdapter(kind.answer_type()).json_schema(mode="serialization")
    records = {"answer": schema, **schema.get("$defs", {})}
    for name, record in records.items():
        undescribed = [key for key, field in record["properties"].items() if "description" not in field]
        assert undescribed == [], name


@KINDS
def test_the_example_of_a_question_is_one(kind: type[Question[Any, Any]]) -> None:
    as_text = {word: str(value) for word, value in example_of(kind).items()}
    assert request_of(kind, as_text) == request_of(kind, example_of(kind))


def test_every_question_of_the_folder_is_listed() -> None:
    folder = Path(questions.__file__).parent
    found = {path.stem for path in folder.glob("*.py") if "    about = About(" in path.read_text()}
    assert found == {kind.__module__.rpartition(".")[2] for kind in QUESTIONS.values()}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Ball(source="x", radius=-1.0), "radius is above 0 and at most 1e+06, not -1.0"),
        (
            lambda: Ball(source="x", radius=float("nan")),
            "radius is above 0 and at most 1e+06, not nan",
        ),
        (
            lambda: Ball(source="x", horizon=0),
            "horizon is at least 1 and below 10000, or none, not 0",
        ),
        (
            lambda: Ball(source="x" * 101),
            f"source is text of at most 100 characters, such as B00.input.00051, not '{'x' * 59}...",
        ),
        (
            lambda: ShortestPath(source="x", target="y", method="best"),
            "method is exact or estimate, not 'best'",
        ),
        (lambda: Lineage(number="loss"), "number is alpha0, width or emergence, not 'loss'"),
        (
            lambda: Subgraph(layers="4"),
            "layers is text of the form ^[0-9]{1,4}-[0-9]{1,4}$, such as 0-5, or none, not '4'",
        ),
        (lambda: NeuronList(cursor="-1"), "cursor is text of the form ^[0-9]{1,15}$, or none, not '-1'"),
        (lambda: NeuronList(limit=None), "limit is 1..1000, not None"),
        (lambda: Ball(source="x", size=3), "Ball takes source, radius, gamma, horizon, limit, not 'size'"),
        (
            lambda: Ball(),
            "source is text of at most 100 characters, such as B00.input.00051; it is missing",
        ),
    ],
)
def test_one_sentence_says_what_is_allowed(make: Callable[[], object], told: str) -> None:
    with pytest.raises(OptionError) as refused:
        make()
    assert str(refused.value) == told


def test_a_question_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Ball(source="x").radius = 3.0  # type: ignore[misc]
