"""The first page costs as many queries for many series as for one, and shows each as it is now."""

import re
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from neuromfa.graph import GraphStore
from neuromfa.results import FailedCheckpoint
from tests.integration.test_held_answers import (  # noqa: F401  fixtures
    OPTIONS,
    client,
    result,
    transactions,
    written,
)

Add = Callable[..., None]


@pytest.fixture
def add(store: GraphStore) -> Iterator[Add]:
    """Store series that are gone after the test."""
    names: list[str] = []

    def added(name: str, *steps: int) -> None:
        store.write_model(name, source="a test")
        names.append(name)
        written(store, name, *steps)

    yield added
    for name in dict.fromkeys(names):
        store.delete_model(name)


def line_of(text: str, model: str) -> str:
    """Return the row of a series as it stands in the page."""
    (line,) = re.findall(rf'<tr role="row" data-series="{model}">.*?</tr>', text, re.DOTALL)
    return line


def cells_of(line: str, *labels: str) -> list[str]:
    return [re.findall(rf'data-label="{label}"[^>]*>(\d+)<', line)[0] for label in labels]


def test_many_series_cost_as_many_queries_as_one(
    client: TestClient,  # noqa: F811
    add: Add,
    transactions: list[str],  # noqa: F811
) -> None:
    add("first-of-many", 0, 8)
    client.get("/")
    transactions.clear()
    client.get("/")
    few = len(transactions)
    assert 0 < few <= 8
    for k in range(4):
        add(f"many-{k}", 0, 8)
    text = client.get("/").text
    transactions.clear()
    again = client.get("/")
    assert (len(transactions), again.text) == (few, text)
    transactions.clear()
    assert client.get("/", headers={"If-None-Match": again.headers["etag"]}).status_code == 304
    assert len(transactions) == few


def test_a_line_is_as_the_store_is_now(
    client: TestClient,  # noqa: F811
    store: GraphStore,
    add: Add,
) -> None:
    labels = ("found", "measured", "failed")
    add("growing", 0)
    assert cells_of(line_of(client.get("/").text, "growing"), *labels) == ["1", "1", "0"]
    written(store, "growing", 8)
    store.write_failure("growing", FailedCheckpoint(16, "step16", "SourceError", "gone"))
    before = line_of(client.get("/").text, "growing")
    assert cells_of(before, *labels) == ["3", "2", "1"]
    drawn = re.findall(r"<svg.*?</svg>", before, re.DOTALL)
    assert drawn
    flagged = result("growing", 8)
    flagged.flags.append("poor_fit")
    assert store.write_result("growing", flagged, OPTIONS, again=True)
    after = line_of(client.get("/").text, "growing")
    assert "poor" in after and "poor" not in before
