"""`neuromfa query`: a question to a stored graph, or a query of ``cypher/read`` as it stands, by name."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from neuromfa.app.cli.options import AsJson, DataDir
from neuromfa.app.cli.output import console, write_json
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import Settings, load_settings
from neuromfa.errors import OptionError
from neuromfa.graph.cypher_files import CypherText, names
from neuromfa.graph.cypher_files import query as cypher_text
from neuromfa.questions import QUESTIONS, Explorer, ask
from neuromfa.questions.engine.faults import allows_none
from neuromfa.questions.engine.request import QuestionRequest, request_of, words_of

NOTHING = ("", "-", "none", "null")
WIDEST_CELL = 60


@dataclasses.dataclass(frozen=True)
class Listed:
    """What can be asked: its name, the words it takes, and its purpose."""

    name: str
    kind: str
    words: list[str]
    purpose: str


def query(
    name: Annotated[str | None, typer.Argument(help="What to ask; without it all names are listed.")] = None,
    words: Annotated[
        list[str] | None, typer.Argument(help="Its words as key=value, such as model=stdlib-14m step=2000.")
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Ask a question to a stored graph: a shortest path, a ball, boxes ..., or run a query of cypher/read."""
    if name is None:
        _show([*_questions(), *_raw_queries()], as_json=as_json)
        return
    if name not in QUESTIONS and f"read/{name}" not in names("read"):
        raise OptionError(f"there is nothing called {name[:60]!r} to ask; `neuromfa query` lists all names")
    given = dict(_split(word) for word in words or [])
    settings = load_settings(data_dir=data_dir)
    answer = _answer(name, given, settings)
    _show(answer, as_json=as_json)


def _answer(name: str, given: dict[str, str], settings: Settings) -> Any:
    """Return what a question or a query answers; wrong words are refused before a store is opened."""
    request = _request(name, given) if name in QUESTIONS else None
    with open_store(settings) as store:
        if request is None:
            return store.query(name, {key: _literal(text) for key, text in given.items()})
        subject = request.where.find(Explorer(store, timeout_s=settings.query_timeout))
        return ask(subject, request.question, engine=request.engine)


def _questions() -> Iterable[Listed]:
    for name, kind in QUESTIONS.items():
        words = [
            word if field.is_required() else f"{word}={_shown(field.default)}"
            for word, field in words_of(kind).items()
        ]
        yield Listed(name, "question", words, kind.purpose())


def _raw_queries() -> Iterable[Listed]:
    for full in names("read"):
        found: CypherText = cypher_text(full)
        yield Listed(full.removeprefix("read/"), "cypher/read", list(found.parameters), found.purpose)


def _split(word: str) -> tuple[str, str]:
    key, equals, text = word.partition("=")
    if not (key and equals):
        raise OptionError(f"words are key=value, not {word[:60]!r}")
    return key, text


def _request(name: str, given: dict[str, str]) -> QuestionRequest:
    """Return the question of the words; a word that may be none is so where its text says nothing."""
    kind = QUESTIONS[name]
    free = {word for word, field in words_of(kind).items() if allows_none(field)}
    words = {word: None if word in free and text.lower() in NOTHING else text for word, text in given.items()}
    return request_of(kind, words)


def _literal(text: str) -> Any:
    """Return a number, list or truth value written as JSON; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _show(answer: Any, *, as_json: bool) -> None:
    if as_json:
        write_json(answer, "-")
    elif isinstance(answer, list) and len(answer) != 1:
        _print_rows([_fields(row) for row in answer])
    else:
        _print_record(answer[0] if isinstance(answer, list) else answer)


def _fields(row: Any) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def _print_record(record: Any) -> None:
    """Print single values as lines, and every list of records as a table under its name."""
    for key, value in _fields(record).items():
        if _is_table(value):
            console.print(f"{key}:")
            _print_rows([_fields(row) for row in value])
        elif dataclasses.is_dataclass(value):
            console.print(f"{key}: {', '.join(f'{k} {_shown(v)}' for k, v in _fields(value).items())}")
        else:
            console.print(f"{key}: {_shown(value)}", soft_wrap=True)


def _is_table(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and dataclasses.is_dataclass(value[0])


def _print_rows(rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        console.print("no rows", style="dim")
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    console.print(table)


def _cell(value: Any) -> str:
    text = _shown(value)
    return text if len(text) <= WIDEST_CELL else f"{text[:WIDEST_CELL]}..."


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return " ".join(map(_shown, value))
    return str(value)
