"""The published contracts: docs/ holds what is served, and every answer keeps to it."""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from neuromfa.app.api.pages import WEB
from neuromfa.app.api.questions import route_of
from neuromfa.app.contract import example_of
from neuromfa.app.errors import KINDS
from neuromfa.app.openapi import DOCS, documents, openapi_document
from neuromfa.graph import GraphStore
from neuromfa.options import AnalysisOptions
from neuromfa.questions import QUESTIONS
from neuromfa.results import SeriesResult, to_json
from tests.api.conftest import example_address, strict_json

SERIES = "/v1/models/stdlib-14m"
ALONE = "/v1/models/org--alone"
ANSWERS = {
    "/v1/models": "/v1/models",
    "/v1/models/{model}": SERIES,
    "/v1/models/{model}/checkpoints": f"{SERIES}/checkpoints",
    "/v1/models/{model}/emergence": f"{SERIES}/emergence?profile=exact",
    "/v1/emergence": "/v1/emergence",
    "/v1/models/{model}/spectra": f"{SERIES}/spectra?profile=exact",
    "/v1/models/{model}/scores": f"{SERIES}/scores",
    "/v1/models/{model}/correlations": f"{SERIES}/correlations?profile=exact",
    "/v1/models/{model}/departures": f"{SERIES}/departures?profile=exact",
    "/v1/models/{model}/checkpoints/{step}": f"{SERIES}/checkpoints/512",
    "/v1/models/{model}/checkpoints/{step}/spectrum": f"{ALONE}/checkpoints/-/spectrum?samples=true",
    "/v1/models/{model}/checkpoints/{step}/metrics": f"{ALONE}/checkpoints/-/metrics",
    "/v1/models/{model}/checkpoints/{step}/samples": f"{SERIES}/checkpoints/512/samples",
    "/v1/models/{model}/checkpoints/{step}/samples/{seed}": f"{SERIES}/checkpoints/512/samples/0",
    "/v1/compare": "/v1/compare?model=stdlib-14m&model=org--alone&group=both:stdlib-14m,org--alone",
    "/v1/jobs": "/v1/jobs",
    "/healthz": "/healthz",
    "/readyz": "/readyz",
    "/problems/{name}": "/problems/not-stored",
} | {route_of(kind): example_address(kind) for kind in QUESTIONS.values()}
CHECKED_ELSEWHERE = {
    "/metrics": {"get"},
    "/v1/export/{model}.{format}": {"get"},
    "/v1/models/{model}": {"delete"},
    "/v1/models/{model}/checkpoints/{step}": {"delete"},
    "/v1/models/{model}/checkpoints/{step}/samples/{seed}": {"delete"},
    "/v1/jobs": {"post"},
    "/v1/jobs/{id}": {"get", "delete"},
    "/v1/jobs/{id}/units": {"get"},
    "/v1/jobs/{id}/retry": {"post"},
    "/v1/jobs/{id}/events": {"get"},
    "/v1/cypher": {"post"},
    "/v1/results/{analysis_hash}": {"get"},
    "/v1/models/{model}/sweep": {"get"},
}  # in tests of their own: no JSON, or something has to be under way or known


@cache
def contract() -> dict[str, Any]:
    return openapi_document()


def closed(schema: Any) -> Any:
    """Return the schema with every object closed: a name that is not in the contract is a fault."""
    if isinstance(schema, dict):
        shut = {key: closed(value) for key, value in schema.items()}
        return shut | ({"additionalProperties": False} if "properties" in schema else {})
    return [closed(value) for value in schema] if isinstance(schema, list) else schema


def check(body: Any, schema: dict[str, Any]) -> None:
    whole = closed(schema | {"components": contract()["components"]})
    whole.pop("additionalProperties", None)
    jsonschema.Draft202012Validator(whole).validate(body)


def test_the_documents_in_docs_are_those_of_the_code() -> None:
    for path, text in documents().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run `make docs`"


def test_the_served_contract_is_the_published_one(client: TestClient) -> None:
    assert client.get("/openapi.json").json() == strict_json(
        (DOCS / "openapi.json").read_text(encoding="utf-8")
    )


def test_every_route_is_in_the_contract_and_in_the_documentation() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    for route, operations in contract()["paths"].items():
        is_checked = route in ANSWERS or route.endswith(".{form}")  # tables: in test_tables.py
        checked = CHECKED_ELSEWHERE.get(route, set()) | ({"get"} if is_checked else set())
        assert set(operations) == checked, f"some answer of {route} is not checked"
        assert f"`{route}`" in text, f"docs/api.md does not name {route}"


@pytest.mark.parametrize("route", ANSWERS)
def test_every_answer_keeps_to_the_contract(client: TestClient, route: str) -> None:
    answer = client.get(ANSWERS[route])
    assert answer.status_code == 200
    operation = contract()["paths"][route]["get"]
    check(strict_json(answer.text), operation["responses"]["200"]["content"]["application/json"]["schema"])


def test_problems_keep_to_the_contract(client: TestClient) -> None:
    for path in ("/v1/models/nope", f"{SERIES}/emergence?profile=x", "/nothing"):
        check(client.get(path).json(), {"$ref": "#/components/schemas/Problem"})


def test_every_operation_names_its_problems() -> None:
    for route, operations in contract()["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            assert "application/problem+json" in responses["default"]["content"], route
            assert "422" in responses, route
            assert {status for status in responses if status < "3"} in ({"200"}, {"202"}, {"200", "202"}), (
                route
            )
            if "security" in operation:
                assert "401" in responses, route


def properties(schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of a contract with its place."""
    if isinstance(schema, dict):
        own = schema.get("properties", {}) if schema.get("type") == "object" else {}
        yield from ((f"{at}/{name}", each) for name, each in own.items())
        for name, each in schema.items():
            yield from properties(each, f"{at}/{name}")
    elif isinstance(schema, list):
        for each in schema:
            yield from properties(each, at)


@pytest.mark.parametrize("name", ["openapi.json", "result.schema.json"])
def test_every_property_says_what_it_is(name: str) -> None:
    found = list(properties(strict_json((DOCS / name).read_text(encoding="utf-8"))))
    assert len(found) > 100
    assert [place for place, each in found if not each.get("description", "").strip()] == []


def test_every_parameter_says_what_it_is() -> None:
    for route, operations in contract()["paths"].items():
        for operation in operations.values():
            assert operation["description"], route
            for parameter in operation.get("parameters", []):
                assert parameter.get("description"), f"{parameter['name']} of {route}"


def test_statuses_and_headers_are_described_once_and_named_where_they_come(client: TestClient) -> None:
    parts = contract()["components"]
    assert {"304", "401", "404", "409", "422", "429"} <= set(parts["responses"])
    kinds = " ".join(response["description"] for response in parts["responses"].values())
    assert all(
        f"`/problems/{kind.name}`" in kinds for kind in KINDS.values() if kind.status in (401, 404, 409, 422)
    )
    for route in ("/v1/models/{model}/scores", "/v1/models", "/v1/models/{model}/checkpoints/{step}/metrics"):
        told = contract()["paths"][route]["get"]["responses"]["200"]["headers"]
        given = client.get(ANSWERS[route]).headers
        assert set(told) <= {name for name in parts["headers"] if name in given}, route


def test_every_route_has_an_example_that_is_answered(client: TestClient) -> None:
    for route, operations in contract()["paths"].items():
        for method, operation in operations.items():
            address = example_of(route, operation)
            [sample] = operation["x-codeSamples"]
            assert address in sample["source"]
            if (
                method == "get"
                and not {"{id}", "{analysis_hash}"} & set(route.split("/"))
                and route.removesuffix(".{form}") not in ("/v1/compare", "/v1/models/{model}/sweep")
            ):
                assert client.get(address).status_code == 200, address


def test_stored_results_keep_to_the_schema_of_results(store: GraphStore) -> None:
    schema = closed(strict_json((DOCS / "result.schema.json").read_text(encoding="utf-8")))
    for model in ("stdlib-14m", "org/alone"):
        analysis = store.analyses(model)[-1]
        results = store.results(model, options=analysis.options_hash)
        series = SeriesResult(model, analysis.options.profile, analysis.options, {"numpy": "2"}, results)
        jsonschema.Draft202012Validator(schema).validate(strict_json(to_json(series)))


def test_a_series_that_breaks_the_schema_is_seen(store: GraphStore) -> None:
    schema = closed(strict_json((DOCS / "result.schema.json").read_text(encoding="utf-8")))
    series = strict_json(
        to_json(
            SeriesResult("x", "exact", AnalysisOptions(), {}, store.results("stdlib-14m", profile="exact"))
        )
    )
    del series["checkpoints"][0]["coverage"]["nodes"]["total"]
    with pytest.raises(jsonschema.ValidationError, match="'total' is a required property"):
        jsonschema.Draft202012Validator(schema).validate(series)


def test_vendored_files_are_those_their_table_names() -> None:
    vendor = WEB / "vendor"
    table = dict(
        re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.M)
    )
    files = [path for path in vendor.iterdir() if path.suffix in (".js", ".css")]
    assert {path.name for path in files} == set(table)
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == table[path.name], path.name
    assert len(list((vendor / "licenses").iterdir())) >= 5
