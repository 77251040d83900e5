"""Curves in parts: fields, steps, flags and order; and the curves of all models in one call."""

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from neuromfa.app.api.curves import MOST_CURVES
from neuromfa.app.main import create_app
from neuromfa.app.memory.curve_memory import CurveMemory, names_of
from neuromfa.app.openapi import openapi_document
from neuromfa.app.settings import Settings
from neuromfa.app.table_forms import MEDIA_TYPES, form_of
from neuromfa.curves import CompactPoint, compact
from neuromfa.declared import adapter
from neuromfa.graph import GraphStore
from neuromfa.graph.several_series import NamedPoint, points_of
from neuromfa.results import CurvePoint
from tests.api.conftest import LOOPBACK
from tests.api.test_contracts import SERIES, check

READ = {
    "csv": lambda content: list(csv.DictReader(io.StringIO(content.decode()))),
    "parquet": lambda content: pq.read_table(io.BytesIO(content)).to_pylist(),
    "arrow": lambda content: pa.ipc.open_file(content).read_all().to_pylist(),
}
CURVE = f"{SERIES}/emergence?profile=exact"
STEPS = [0, 128, 512, 2000]


def got(client: TestClient, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_curve_in_short_has_what_the_whole_has(client: TestClient, store: GraphStore) -> None:
    alone, series = got(client, "/v1/emergence?profile=exact")["items"]
    whole = got(client, CURVE)
    assert (alone["model"], series["model"]) == ("org/alone", "stdlib-14m")
    for name in ("options_hash", "verdict"):
        assert series[name] == whole[name]
    assert (series["found"], series["measured"], series["failed"]) == (4, 4, 0)
    points = adapter(list[CurvePoint]).validate_python(whole["items"])
    assert adapter(list[CompactPoint]).validate_python(series["points"]) == [
        compact(point) for point in points
    ]
    assert series["points"][-1]["excess"]["alpha0"]["value"] == points[-1].excess["shuffled"].alpha0.value  # type: ignore[index]
    assert sum(series["flags"].values()) == sum(len(point.flags) for point in points)
    assert alone["points"][0]["step"] is None


def test_models_are_chosen_repeated_or_with_commas(client: TestClient) -> None:
    both = got(client, "/v1/emergence")
    assert got(client, "/v1/emergence?models=stdlib-14m,org--alone") == both
    assert got(client, "/v1/emergence?models=stdlib-14m&models=org/alone") == both
    first = client.get("/v1/emergence?models=stdlib-14m,org--alone&limit=1")
    assert first.json() == {"items": both["items"][:1], "next": "org/alone"}
    assert got(client, "/v1/emergence" + first.links["next"]["url"])["items"] == both["items"][1:]
    assert client.get("/v1/emergence?models=stdlib-14m,nope").status_code == 404
    assert MOST_CURVES < 100


def test_a_model_without_the_analysis_says_so(client: TestClient) -> None:
    alone, series = got(client, "/v1/emergence?profile=paper")["items"]
    assert (alone["options_hash"], alone["verdict"], alone["points"], alone["found"]) == (None, None, [], 1)
    assert [point["step"] for point in series["points"]] == [0, 2000]


@pytest.mark.parametrize("path", [CURVE, "/v1/emergence?models=stdlib-14m"])
def test_parts_of_a_curve(client: TestClient, path: str) -> None:
    def items(query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = got(client, f"{path}&{query}")["items"]
        return found if path == CURVE else found[0]["points"]

    whole = items("sort=step")
    assert items("fields=step,alpha0&fields=flags") == [
        {name: point[name] for name in ("step", "alpha0", "flags")} for point in whole
    ]
    assert [point["step"] for point in items("from_step=128&to_step=512")] == [128, 512]
    rising = sorted(whole, key=lambda point: point["alpha0"]["value"])
    assert items("sort=alpha0") == rising
    assert [point["step"] for point in items("sort=-step")] == STEPS[::-1]
    flag = whole[0]["flags"][0]
    assert items(f"flag={flag}") == [point for point in whole if flag in point["flags"]]
    assert items("flag=zero_weights") == []


def test_a_part_says_of_the_series_what_the_whole_says(client: TestClient) -> None:
    whole, part = got(client, CURVE), got(client, f"{CURVE}&to_step=0&fields=step")
    assert part["items"] == [{"step": 0}]
    assert {**part, "items": whole["items"]} == whole


def test_parts_are_paged_by_number(client: TestClient) -> None:
    first = client.get(f"{CURVE}&sort=-step&fields=step&limit=3")
    second = got(client, SERIES + "/emergence" + first.links["next"]["url"])
    assert [point["step"] for point in first.json()["items"] + second["items"]] == STEPS[::-1]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("fields=alpha", "the nearest is alpha0"),
        ("fields=step,emergance", "the nearest is emergence"),
        ("flag=poorfit", "the nearest is poor_fit"),
        ("sort=size", "query.sort"),
        ("from_step=-1", "query.from_step"),
    ],
)
def test_what_cannot_be_chosen(client: TestClient, query: str, words: str) -> None:
    for path in (CURVE, "/v1/emergence?profile=exact"):
        answer = client.get(f"{path}&{query}")
        assert answer.status_code == 422
        assert words in answer.json()["detail"]


def test_parts_keep_to_the_contract(client: TestClient) -> None:
    for route, path in (
        ("/v1/models/{model}/emergence", CURVE),
        ("/v1/emergence", "/v1/emergence?profile=exact"),
    ):
        schema = openapi_document()["paths"][route]["get"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]
        check(got(client, f"{path}&fields=step,flags"), schema)


def test_unchanged_curves_cost_no_body(client: TestClient) -> None:
    tags = []
    for path in (
        "/v1/emergence",
        "/v1/emergence?fields=step",
        f"{CURVE}&fields=step",
        f"{CURVE}&fields=flags",
    ):
        tags.append(client.get(path).headers["etag"])
        assert client.get(path, headers={"If-None-Match": tags[-1]}).status_code == 304
    assert len(set(tags)) == 4


def test_points_are_read_once(store: GraphStore, settings: Settings) -> None:
    app = create_app(settings, store=store)
    with TestClient(app, base_url=LOOPBACK) as client:
        first = got(client, "/v1/emergence")
        memory: CurveMemory = app.state.memory.points
        hash_ = first["items"][1]["options_hash"]
        names: list[NamedPoint] = points_of(store, {"stdlib-14m": hash_})["stdlib-14m"]
        known = memory.read(_Closed(), names)  # type: ignore[arg-type]
        assert [one.step for one in known.values()] == STEPS
        assert got(client, "/v1/emergence") == first


def test_tables_by_ending_and_by_accept(client: TestClient) -> None:
    curves = got(client, "/v1/emergence?profile=exact")["items"]
    steps = [point["step"] for curve in curves for point in curve["points"]]
    for form in ("csv", "parquet", "arrow"):
        by_ending = client.get(f"/v1/emergence.{form}?profile=exact")
        by_header = client.get("/v1/emergence?profile=exact", headers={"Accept": MEDIA_TYPES[form]})
        assert by_ending.status_code == by_header.status_code == 200
        assert by_ending.content == by_header.content
        assert by_header.headers["content-type"].startswith(MEDIA_TYPES[form])
        assert "Accept" in by_header.headers["vary"]
        assert f"emergence.{form}" in by_ending.headers["content-disposition"]
        rows = READ[form](by_ending.content)
        assert [int(row["step"]) for row in rows if row["step"] not in (None, "")] == steps[1:]
        assert len(rows) == len(steps)
        assert float(rows[-1]["alpha0_low"]) == curves[1]["points"][-1]["alpha0"]["low"]


def test_a_table_has_the_fields_that_were_asked_for(client: TestClient) -> None:
    text = client.get(
        "/v1/emergence.csv?profile=exact&fields=step,emergence&models=stdlib-14m&from_step=512"
    ).text
    head, *rows = text.splitlines()
    assert head == "model,step,emergence,emergence_low,emergence_high,emergence_n"
    assert [row.split(",")[:2] for row in rows] == [["stdlib-14m", "512"], ["stdlib-14m", "2000"]]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "json"),
        ("*/*", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("text/csv;q=0.5, application/json;q=0.4", "csv"),
        ("text/*", "csv"),
        ("application/vnd.apache.arrow.file, text/csv;q=0.9", "arrow"),
        ("application/json;q=0, */*", "csv"),
    ],
)
def test_accept_chooses_what_it_likes_best(accept: str | None, form: str) -> None:
    assert form_of(accept) == form


def test_forms_have_tags_of_their_own_and_none_is_refused(client: TestClient) -> None:
    tags = [
        client.get("/v1/emergence", headers={"Accept": media}).headers["etag"]
        for media in MEDIA_TYPES.values()
    ]
    assert len(set(tags)) == len(MEDIA_TYPES)
    answer = client.get("/v1/emergence", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["type"]) == (406, "/problems/not-acceptable")
    assert "text/csv" in answer.json()["detail"]
    assert client.get("/v1/emergence.xlsx").status_code == 404


def test_one_memory_has_the_points_of_one_series_and_of_all(client: TestClient) -> None:
    memory: CurveMemory = client.app.state.memory.points  # type: ignore[attr-defined]
    short = got(client, "/v1/emergence?profile=exact")
    n, n_bytes = len(memory), memory.n_bytes
    whole = got(client, f"{CURVE}&limit=2")
    assert (len(memory), memory.n_bytes > n_bytes) == (n, True)
    assert got(client, f"{CURVE}&limit=200")["items"][:2] == whole["items"]
    assert (len(memory), got(client, "/v1/emergence?profile=exact")) == (n, short)


def test_points_that_found_no_room_are_read_again(store: GraphStore) -> None:
    index = store.series_index("stdlib-14m")
    chosen = index.choose(profile="exact").analysis.options_hash
    names = names_of(index, index.newest(chosen))
    large, small = CurveMemory(), CurveMemory(max_bytes=30_000)
    for memory in (large, small):
        memory.whole(store, index, chosen)
    assert small.n_bytes <= 30_000 < large.n_bytes
    assert small.texts(store, names) == large.texts(_Closed(), names)  # type: ignore[arg-type]


class _Closed:
    """A store that must not be asked."""
