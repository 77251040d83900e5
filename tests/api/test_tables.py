"""Whatever has rows comes in four forms: by the ending of its address, and by the header `Accept`."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from neuromfa.app.openapi import openapi_document
from neuromfa.app.table_forms import MEDIA_TYPES, TABLE, accepted, tabled
from neuromfa.frames import flat_rows
from neuromfa.graph import GraphStore
from neuromfa.graph.job_queue import JobQueue
from neuromfa.ingest.request import IngestRequest
from neuromfa.scores import Score
from tests.api.test_contracts import ANSWERS, SERIES

READ = {
    "csv": lambda content: list(csv.DictReader(io.StringIO(content.decode()))),
    "parquet": lambda content: pq.read_table(io.BytesIO(content)).to_pylist(),
    "arrow": lambda content: pa.ipc.open_file(content).read_all().to_pylist(),
}
OWN_ROWS = "/v1/emergence"
TABLES = {
    path.removesuffix(".{form}"): operations["get"][TABLE]
    for path, operations in openapi_document()["paths"].items()
    if path.endswith(".{form}")
}


@pytest.fixture
def addresses(store: GraphStore) -> Iterator[dict[str, str]]:
    """An address of every route of tables."""
    store.write_scores(
        "stdlib-14m", [Score(512, "made", "acc", 0.5, None), Score(512, "other", "acc", 1.0, 0.1)]
    )
    job, _ = JobQueue(store).put(IngestRequest(source="somewhere/else").as_json())
    yield ANSWERS | {
        "/v1/models/{model}/sweep": f"{SERIES}/sweep?option=profile",
        "/v1/jobs/{id}/units": f"/v1/jobs/{job.id}/units",
    }
    JobQueue(store).cancel(job.id)


def ended(address: str, form: str) -> str:
    path, mark, words = address.partition("?")
    return f"{path}.{form}{mark}{words}"


def known(value: Any) -> Any:
    """Return what is known of a value: a column of records has all their parts, as nothing where one has it not."""
    if isinstance(value, dict):
        return {name: known(part) for name, part in value.items() if part is not None}
    return [known(one) for one in value] if isinstance(value, list) else value


def test_every_list_is_a_table() -> None:
    lists = {
        path
        for path, operations in openapi_document()["paths"].items()
        if "Listing" in str(operations.get("get", {}).get("responses", {}).get("200"))
    }
    assert lists == {path for path, member in TABLES.items() if member == "items" and "{seed}/" not in path}
    assert len(TABLES) > 15


@pytest.mark.parametrize("route", TABLES)
def test_every_table_comes_by_ending_and_by_accept(
    client: TestClient, addresses: dict[str, str], route: str
) -> None:
    address = addresses[route]
    plain = client.get(address, headers={"Accept": "application/json"})
    if route == "/v1/models/{model}/sweep" and plain.status_code == 404:
        assert client.get(ended(address, "csv")).status_code == 404
        return
    assert plain.status_code == 200, plain.text
    assert "Accept" in plain.headers["vary"]
    items = flat_rows(plain.json()[TABLES[route]])
    for form, read in READ.items():
        by_ending = client.get(ended(address, form), headers={"Accept": "image/png"})
        by_header = client.get(address, headers={"Accept": MEDIA_TYPES[form]})  # type: ignore[index]
        assert (by_ending.status_code, by_header.status_code) == (200, 200), by_ending.text
        assert by_ending.content == by_header.content
        assert by_header.headers["content-type"].startswith(MEDIA_TYPES[form])  # type: ignore[index]
        assert "Accept" in by_header.headers["vary"]
        assert f".{form}" in by_ending.headers["content-disposition"]
        assert by_header.headers.get("link") == plain.headers.get("link")
        rows = read(by_ending.content)
        if route != OWN_ROWS:
            assert [list(row) for row in rows] == [list(row) for row in items]
        if route != OWN_ROWS and form == "parquet":
            assert known(rows) == known(items)
    refused = client.get(address, headers={"Accept": "image/png"})
    assert (refused.status_code, refused.json()["type"]) == (406, "/problems/not-acceptable")
    assert all(media in refused.json()["detail"] for media in MEDIA_TYPES.values())


@pytest.mark.parametrize(
    "path", [f"{SERIES}/scores", f"{SERIES}/spectra?limit=1", f"{SERIES}/checkpoints/512/samples"]
)
def test_forms_are_told_apart_in_memory_and_by_tags(client: TestClient, path: str) -> None:
    found = {}
    for _ in range(2):
        for form, media in MEDIA_TYPES.items():
            answer = client.get(path, headers={"Accept": media})
            assert answer.headers["content-type"].startswith(media)
            assert found.setdefault(form, answer.content) == answer.content
            tag = answer.headers.get("etag")
            if tag is not None:
                again = client.get(path, headers={"Accept": media, "If-None-Match": tag})
                assert (again.status_code, "Accept" in again.headers["vary"]) == (304, True)
                other = client.get(
                    path, headers={"Accept": "*/*" if form != "json" else "text/csv", "If-None-Match": tag}
                )
                assert other.status_code == 200
    assert len(set(found.values())) == len(MEDIA_TYPES)


def test_what_is_no_table_is_json_whatever_accept_says(client: TestClient) -> None:
    for accept in ("text/csv", "image/png", "*/*"):
        answer = client.get(f"{SERIES}/checkpoints/512/spectrum", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert client.get(f"{SERIES}/checkpoints/512/spectrum.csv").status_code == 404
    assert client.post("/v1/models.csv").status_code == 405
    assert client.post("/v1/jobs.csv").headers["allow"] == "GET, HEAD"
    assert client.put("/v1/jobs").headers["allow"] == "GET, HEAD, POST"
    assert client.head("/v1/models.csv").headers["content-type"].startswith("text/csv")


def test_an_accept_that_is_too_long_is_refused_and_not_kept(client: TestClient) -> None:
    long = "text/csv," * 200
    assert client.get("/v1/models", headers={"Accept": long}).status_code == 406
    assert accepted({"headers": [(b"accept", long.encode())]}) == ""
    assert client.get("/v1/models.csv", headers={"Accept": long}).status_code == 200


def test_columns_of_several_kinds_and_of_records() -> None:
    text = (
        b'{"items": [{"a": 1, "b": [{"c": 1}], "d": null}, {"a": "x", "b": [], "e": {"value": 2, "low": 1}}]}'
    )
    [first, second] = READ["parquet"](tabled(text, "items", "parquet"))
    assert first == {"a": "1", "b": [{"c": 1}], "d": None, "e": None, "e_low": None}
    assert second == {"a": "x", "b": [], "d": None, "e": 2, "e_low": 1}
    [plain, _] = READ["csv"](tabled(text, "items", "csv"))
    assert plain == {"a": "1", "b": '[{"c": 1}]', "d": "", "e": "", "e_low": ""}
    huge = b'{"items": [{"a": 36893488147419103232}]}'
    assert READ["arrow"](tabled(huge, "items", "arrow")) == [{"a": str(2**65)}]
    empty: list[Any] = READ["arrow"](tabled(b'{"items": []}', "items", "arrow"))
    assert empty == []
