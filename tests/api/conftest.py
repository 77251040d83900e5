"""The service in this process, before a real embedded store with real results in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from neuromfa.app.api.questions import route_of
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore, open_store
from neuromfa.questions import Question
from neuromfa.questions.engine.request import example_of, words_of

LOOPBACK = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def store(filled_dir: Path) -> Iterator[GraphStore]:
    with open_store(data_dir=filled_dir) as opened:
        yield opened


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings()


@pytest.fixture
def client(store: GraphStore, settings: Settings) -> Iterator[TestClient]:
    with TestClient(
        create_app(settings, store=store), base_url=LOOPBACK, raise_server_exceptions=False
    ) as ready:
        yield ready


def strict_json(text: str) -> Any:
    """Parse JSON as the standard has it: NaN and Infinity are errors."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in an answer")

    return json.loads(text, parse_constant=refuse)


def example_address(kind: type[Question[Any, Any]]) -> str:
    """Return the address of an asking that the bundled series answers."""
    route, example = route_of(kind), example_of(kind)
    known = {name: field.default for name, field in words_of(kind).items()} | example
    asked = urlencode({name: value for name, value in example.items() if f"{{{name}}}" not in route})
    return route.format_map(known) + (f"?{asked}" if asked else "")
