"""Stored series beside one another, as the service answers it."""

from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from neuromfa.app.api.comparisons import LONGEST_GROUP, MOST_GROUPS
from neuromfa.comparison import Comparison, Source, compare
from neuromfa.comparison.compare import MOST_SERIES
from neuromfa.graph import GraphStore
from neuromfa.model_id import LARGEST_BYTES
from neuromfa.results import from_json, to_json
from tests.api.conftest import strict_json

BOTH = {"model": ["stdlib-14m", "org/alone"]}


def test_the_answer_is_what_the_library_says_of_the_stored_results(
    client: TestClient, store: GraphStore
) -> None:
    answer = client.get("/v1/compare", params=BOTH)
    assert answer.status_code == 200, answer.text
    sources = []
    for model in BOTH["model"]:
        results = store.results(model)
        options = store.choose(model).analysis.options
        sources.append(Source(model, options, results, {one.step: one for one in results}))
    assert strict_json(answer.text) == strict_json(to_json(compare(sources)))
    assert len(from_json(Comparison, answer.text).series[0].curve) == 4


def test_slashes_groups_and_the_axis_are_taken_from_the_address(client: TestClient) -> None:
    asked: dict[str, Any] = {
        "model": ["stdlib-14m", "org--alone"],
        "by": "share",
        "group": "both:stdlib-14m,org--alone",
    }
    found = strict_json(client.get("/v1/compare", params=asked).text)
    assert [one["id"] for one in found["series"]] == ["stdlib-14m", "org/alone"]
    assert [point["position"] for point in found["series"][0]["curve"]] == [0.0, 0.064, 0.256, 1.0]
    assert found["groups"][0]["series"] == ["stdlib-14m", "org/alone"]
    assert found["pairs"][0]["differences"]["g2"]["reason"] == "no_common_point"
    assert "The option samples differs: 3 in stdlib-14m; 2 in org/alone" in " ".join(found["warnings"])


def test_a_word_chooses_the_analysis_of_every_series(client: TestClient) -> None:
    answer = client.get("/v1/compare", params=BOTH | {"baseline": "first"})
    assert answer.status_code == 404
    assert "'org/alone' has no results for baseline=first" in answer.json()["detail"]


def test_an_unchanged_comparison_costs_its_reader_no_body(client: TestClient) -> None:
    first = client.get("/v1/compare", params=BOTH)
    tag = {"If-None-Match": first.headers["etag"]}
    again = client.get("/v1/compare", params=BOTH, headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    others: list[dict[str, Any]] = [
        BOTH | {"by": "share"},
        BOTH | {"group": "a:stdlib-14m"},
        {"model": BOTH["model"][::-1]},
    ]
    assert [client.get("/v1/compare", params=asked, headers=tag).status_code for asked in others] == [200] * 3


@pytest.mark.parametrize(
    ("asked", "status", "detail"),
    [
        ({}, 422, "query.model"),
        ({"model": ["stdlib-14m"]}, 422, "at least 2"),
        ({"model": [f"m{k}" for k in range(17)]}, 422, "at most 16"),
        ({"model": ["stdlib-14m", "stdlib-14m"]}, 422, "stdlib-14m is to be compared with itself"),
        ({"model": ["stdlib-14m", "nope"]}, 404, "model 'nope' is not in the store"),
        (BOTH | {"group": "a"}, 422, "a group is name:A,B"),
        (BOTH | {"group": "a:nope"}, 422, "group 'a' holds 'nope', which is not compared"),
        (BOTH | {"by": "time"}, 422, "query.by"),
        (BOTH | {"by": "tokens"}, 422, "no checkpoint of stdlib-14m tells how many tokens"),
    ],
)
def test_bad_questions_are_problems(
    client: TestClient, asked: dict[str, Any], status: int, detail: str
) -> None:
    answer = client.get("/v1/compare", params=asked)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]


def test_the_largest_address_fits_into_what_the_server_reads() -> None:
    widest = "\N{GRINNING FACE}"  # four bytes, twelve characters of an address
    asked = {
        "model": [widest * (LARGEST_BYTES // 4)] * MOST_SERIES,
        "group": [widest * LONGEST_GROUP] * MOST_GROUPS,
        "baseline": widest * 1000,
        "options": "0" * 64,
    }
    assert len(urlencode(asked, doseq=True)) < 2**16 - 2**12  # the rest is for headers


def test_all_series_of_a_comparison_fit_into_a_group() -> None:
    members = [f"EleutherAI--pythia-{k}.9b-deduped" for k in range(MOST_SERIES)]
    assert len(f"deduplicated:{','.join(members)}") < LONGEST_GROUP
