"""Routes of a stored graph: what they answer is what the library answers, in bounds, by either engine."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import networkx as nx
import pytest
from starlette.datastructures import URL
from starlette.testclient import TestClient

from benchmarks.bench_queries import equal
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore
from neuromfa.questions import (
    QUESTIONS,
    Ball,
    Explorer,
    LayerMasses,
    Question,
    ShortestPath,
    StoredSample,
    ask,
)
from neuromfa.results import to_json
from tests.api.conftest import LOOPBACK, example_address, strict_json

SAMPLE = "/v1/models/stdlib-14m/checkpoints/2000/samples/0"


def got(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(f"{SAMPLE}/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return strict_json(answer.text)


def refused(client: TestClient, path: str, **parameters: Any) -> tuple[int, str, str]:
    answer = client.get(f"{SAMPLE}/{path}", params=parameters)
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["type"].removeprefix("/problems/"), body["detail"]


@pytest.fixture(scope="module")
def sample(store: GraphStore) -> StoredSample:
    return Explorer(store).sample("stdlib-14m", 2000)


@pytest.fixture(scope="module")
def ends(sample: StoredSample, store: GraphStore) -> tuple[str, str]:
    """Two neurons with a path of several hops between them."""
    graph = store.read_sample("stdlib-14m", 2000, 0)
    source = graph.layers[0].names()[3]
    inside = ask(sample, Ball(source=source), engine="numpy")
    return source, max(inside.members, key=lambda member: (member.layer, member.name)).name


def test_neurons_come_by_place_in_pages(client: TestClient, store: GraphStore) -> None:
    graph = store.read_sample("stdlib-14m", 2000, 0)
    names, cursor = [], None
    while True:
        page = got(client, "neurons", limit=150, **({"cursor": cursor} if cursor else {}))
        names += [neuron["name"] for neuron in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == [name for layer in graph.layers for name in layer.names()]


def test_neurons_of_a_layer_and_a_kind(client: TestClient) -> None:
    whole = got(client, "neurons", layer=1)["items"]
    assert [neuron["kind"] for neuron in whole] == ["query"] * 16 + ["key"] * 16 + ["value"] * 16
    assert got(client, "neurons", layer=1, kind="key")["items"] == whole[16:32]
    assert got(client, "neurons", layer=1, kind="mlp") == {"items": [], "next": None}


def test_the_highest_dimensions_come_first(client: TestClient) -> None:
    items = got(client, "neurons", order="dimension", limit=1000)["items"]
    dimensions = [neuron["nfd"] for neuron in items]
    assert dimensions == sorted(dimensions, reverse=True)
    assert len(dimensions) > 100
    assert got(client, "neurons", order="dimension", limit=3)["items"] == items[:3]


def test_one_neuron_with_its_strongest_edges(client: TestClient, ends: tuple[str, str]) -> None:
    detail = got(client, f"neurons/{ends[0]}", top=3)
    assert detail["neuron"]["name"] == ends[0]
    assert (detail["edges_in"], detail["strongest_in"]) == (0, [])
    assert len(detail["strongest_out"]) == 3
    distances = [edge["distance"] for edge in detail["strongest_out"]]
    assert distances == sorted(distances)
    assert detail["edges_out"] >= 3
    assert detail["strength_out"] >= sum(abs(edge["weight"]) for edge in detail["strongest_out"])


def test_both_engines_answer_the_same_bytes(client: TestClient, ends: tuple[str, str]) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("path", {"source": ends[0], "target": ends[1]}),
        ("path", {"source": ends[0], "target": ends[1], "method": "estimate", "horizon": 30, "gamma": 1.5}),
        ("path", {"source": ends[1], "target": ends[0]}),
        ("ball", {"source": ends[0]}),
        ("ball", {"source": ends[0], "radius": 40.5, "gamma": 0, "horizon": 2, "limit": 5}),
        ("boxes", {"radius": 12, "first_layer": 2, "last_layer": 4}),
        ("boxes", {"radius": 9, "first_layer": 3, "last_layer": 4, "method": "colouring"}),
        ("strongest", {"top": 7}),
        ("strongest", {"layer": 3}),
        ("layers/3/radii", {}),
        ("layers/0/radii", {"profile": "paper", "max_distance": 60}),
        ("layers/3/masses", {"limit": 3}),
        ("graph", {"layers": "0-3", "top": 9}),
        ("neurons", {"order": "dimension", "limit": 9}),
        (f"neurons/{ends[0]}", {"top": 4}),
    ]
    for path, words in asked:
        answers = [
            client.get(f"{SAMPLE}/{path}", params=words | {"engine": engine})
            for engine in ("cypher", "numpy", "auto")
        ]
        assert [answer.status_code for answer in answers] == [200] * 3, answers[0].text
        assert len({answer.content for answer in answers}) == 1, (path, words)


@pytest.mark.parametrize("kind", QUESTIONS.values(), ids=QUESTIONS)
def test_every_question_has_a_route_with_equal_answers(
    client: TestClient, kind: type[Question[Any, Any]]
) -> None:
    address = URL(example_address(kind))
    answers = [
        client.get(str(address.include_query_params(engine=engine))) for engine in ("cypher", "numpy", "auto")
    ]
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    cypher, *others = (strict_json(answer.text) for answer in answers)
    assert all(equal(cypher, other) for other in others)


def test_a_path_is_that_of_the_library(
    client: TestClient, sample: StoredSample, ends: tuple[str, str]
) -> None:
    answer = got(client, "path", source=ends[0], target=ends[1])
    assert answer == strict_json(to_json(ask(sample, ShortestPath(source=ends[0], target=ends[1]))))
    hops = answer["edges"]
    assert (hops[0]["source"], hops[-1]["target"]) == ends
    assert all(left["target"] == right["source"] for left, right in zip(hops, hops[1:], strict=False))
    total = sum(hop["distance"] for hop in hops) + 5.0 * (len(hops) - 1)
    assert answer["distance"] == pytest.approx(total, rel=1e-9)
    assert answer["distance"] <= 150.0


def test_masses_are_cut_at_the_limit_and_say_so(client: TestClient, sample: StoredSample) -> None:
    whole = ask(sample, LayerMasses(layer=3))
    part = got(client, "layers/3/masses", limit=2)
    assert part["n_neurons"] == len(whole.names) == 16
    assert part["names"] == list(whole.names[:2])
    assert part["masses"] == [list(row) for row in whole.masses[:2]]
    assert part["radii"] == list(whole.radii)


def test_a_neuron_is_followed_over_the_steps_with_a_graph(client: TestClient, ends: tuple[str, str]) -> None:
    answer = client.get("/v1/models/stdlib-14m/trajectory", params={"neuron": ends[0]}).json()
    assert [point["step"] for point in answer["points"]] == [0, 128, 512, 2000]
    detail = got(client, f"neurons/{ends[0]}")
    assert answer["points"][-1]["nfd"] == detail["neuron"]["nfd"]
    assert answer["points"][-1]["strength_out"] == pytest.approx(detail["strength_out"], rel=1e-9)
    for words, status in (
        ({"neuron": "B99.input.00001"}, 404),
        ({"neuron": ends[0], "seed": 7}, 404),
        ({}, 422),
    ):
        assert client.get("/v1/models/stdlib-14m/trajectory", params=words).status_code == status


def test_a_layer_is_compared_at_two_steps(client: TestClient) -> None:
    words = {"before": 0, "after": 2000, "layer": 3, "top": 4}
    answer = client.get("/v1/models/stdlib-14m/change", params=words).json()
    changes = [abs(edge["change"]) for edge in answer["largest"]]
    assert changes == sorted(changes, reverse=True)
    assert len(changes) == 4
    assert answer["edges_both"] <= min(answer["edges_before"], answer["edges_after"])
    assert client.get("/v1/models/stdlib-14m/change", params=words | {"layer": 99}).status_code == 422
    assert client.get("/v1/models/stdlib-14m/change", params=words | {"after": 7}).status_code == 404


def test_a_number_says_where_it_comes_from(client: TestClient) -> None:
    answer = client.get("/v1/models/stdlib-14m/checkpoints/2000/provenance/emergence?profile=exact").json()
    metrics = client.get("/v1/models/stdlib-14m/checkpoints/2000/metrics?profile=exact").json()
    assert answer["estimate"] == metrics["emergence"]
    assert answer["analysis_hash"] == metrics["analysis_hash"]
    assert answer["baseline"]["step"] == 0
    assert [sample["stored"] for sample in answer["samples"]] == [True, False, False]
    bad = client.get("/v1/models/stdlib-14m/checkpoints/2000/provenance/loss")
    assert bad.status_code == 422


def test_no_path_is_null_with_a_reason(client: TestClient, ends: tuple[str, str]) -> None:
    answer = got(client, "path", source=ends[1], target=ends[0])
    assert (answer["distance"], answer["edges"]) == (None, [])
    assert "later layer" in answer["reason"]
    near = got(client, "path", source=ends[0], target=ends[1], max_distance=1)
    assert (near["distance"], near["reason"]) == (None, "no path is within the distance 1")


def test_a_ball_shows_its_nearest_and_tells_its_size(client: TestClient, ends: tuple[str, str]) -> None:
    whole = got(client, "ball", source=ends[0], limit=1000)
    assert whole["size"] == len(whole["members"])
    assert whole["members"][0] == {"name": ends[0], "layer": 0, "distance": 0.0}
    assert whole["masses"][-1] == whole["size"]
    part = got(client, "ball", source=ends[0], limit=4)
    assert part == whole | {"members": whole["members"][:4]}


def test_boxes_cover_every_neuron_once(client: TestClient) -> None:
    answer = got(client, "boxes", radius=15, last_layer=5, limit=1000)
    names = [name for box in answer["boxes"] for name in box["neurons"]]
    assert len(names) == len(set(names)) == answer["n_neurons"] == sum(answer["sizes"])
    assert len(answer["boxes"]) == answer["n_boxes"] == len(answer["sizes"])
    assert all(box["centre"] in box["neurons"] for box in answer["boxes"])
    part = got(client, "boxes", radius=15, last_layer=5, limit=2)
    assert part == answer | {"boxes": answer["boxes"][:2]}


def test_a_drawing_has_the_ends_of_its_edges(client: TestClient) -> None:
    answer = got(client, "graph", layers="5-10", top=12)
    layer = {neuron["name"]: neuron["layer"] for neuron in answer["neurons"]}
    assert len(layer) == len(answer["neurons"])
    links = [(layer[edge["source"]], layer[edge["target"]]) for edge in answer["edges"]]
    assert set(links) == {(k, k + 1) for k in range(5, 10)}
    assert all(links.count(link) <= 12 for link in links)
    wiring = [link for link, edge in zip(links, answer["edges"], strict=True) if edge["weight"] is None]
    assert set(wiring) == {(6, 7)}


@pytest.mark.parametrize(("form", "read"), [("graphml", nx.read_graphml), ("gexf", nx.read_gexf)])
def test_a_drawing_goes_to_other_programs(client: TestClient, tmp_path: Path, form: str, read: Any) -> None:
    answer = client.get(f"{SAMPLE}/graph", params={"layers": "0-5", "top": 9, "format": form})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(f"application/{form}+xml")
    assert answer.headers["content-disposition"].endswith(f".{form}")
    (tmp_path / "graph").write_bytes(answer.content)
    graph, drawn = read(tmp_path / "graph"), got(client, "graph", layers="0-5", top=9)
    assert set(graph.nodes) == {neuron["name"] for neuron in drawn["neurons"]}
    assert {(source, target): data["distance"] for source, target, data in graph.edges(data=True)} == {
        (edge["source"], edge["target"]): edge["distance"] for edge in drawn["edges"]
    }


@pytest.mark.parametrize(
    ("path", "words", "status", "kind", "told"),
    [
        ("neurons", {"layer": 99}, 422, "invalid-request", "layers 0 to 30"),
        ("neurons", {"layer": -1}, 422, "invalid-request", "query.layer"),
        ("neurons", {"order": "size"}, 422, "invalid-request", "query.order"),
        ("neurons", {"limit": 1001}, 422, "invalid-request", "query.limit"),
        ("neurons", {"cursor": "-1"}, 422, "invalid-request", "query.cursor"),
        ("neurons/B99.mlp.00000", {}, 404, "not-stored", "no neuron 'B99.mlp.00000'"),
        ("neurons/B06.output.00107", {"top": 0}, 422, "invalid-request", "query.top"),
        ("neurons/B06.output.00107", {"max_distance": 500}, 422, "invalid-request", "at most 200"),
        ("path", {"source": "B00.input.00051"}, 422, "invalid-request", "query.target"),
        ("path", {"source": "B00.input.00051", "target": "x"}, 404, "not-stored", "no neuron 'x'"),
        ("path", {"source": "a", "target": "b", "method": "all"}, 422, "invalid-request", "query.method"),
        ("path", {"source": "a", "target": "b", "engine": "sql"}, 422, "invalid-request", "query.engine"),
        (
            "path",
            {"source": "a", "target": "b", "max_distance": "nan"},
            422,
            "invalid-request",
            "max_distance",
        ),
        ("path", {"source": "a", "target": "b", "max_distance": 201}, 422, "invalid-request", "at most 200"),
        ("path", {"source": "a", "target": "b", "gamma": "inf"}, 422, "invalid-request", "query.gamma"),
        ("path", {"source": "a" * 101, "target": "b"}, 422, "invalid-request", "query.source"),
        ("ball", {"source": "nobody"}, 404, "not-stored", "no neuron 'nobody'"),
        ("ball", {"source": "a", "radius": 0}, 422, "invalid-request", "query.radius"),
        ("ball", {"source": "a", "horizon": 0}, 422, "invalid-request", "query.horizon"),
        ("boxes", {}, 422, "invalid-request", "query.radius"),
        ("boxes", {"radius": 5, "engine": "cypher"}, 422, "invalid-request", "at most 512 fit"),
        ("boxes", {"radius": 150, "method": "burning"}, 422, "invalid-request", "at most 200"),
        ("boxes", {"radius": 5, "first_layer": 4, "last_layer": 4}, 422, "invalid-request", "two layers"),
        ("graph", {"layers": "5"}, 422, "invalid-request", "query.layers"),
        ("graph", {"layers": "5-5"}, 422, "invalid-request", "two layers"),
        ("graph", {"layers": "0-99"}, 422, "invalid-request", "layers 0 to 30"),
        ("graph", {"layers": "0-30", "top": 500}, 422, "invalid-request", "5000 edges in all"),
        ("graph", {"format": "svg"}, 422, "invalid-request", "query.format"),
    ],
)
def test_what_is_refused(
    client: TestClient, path: str, words: dict[str, Any], status: int, kind: str, told: str
) -> None:
    assert refused(client, path, **words)[:2] == (status, kind)
    assert told in refused(client, path, **words)[2]


@pytest.mark.parametrize("name", ["'}) DETACH DELETE (n) //", "a\u0000b", "ключ", "B00.input.00051' OR 1=1"])
def test_a_name_is_only_ever_a_name(client: TestClient, store: GraphStore, name: str) -> None:
    before = store.counts()
    for engine in ("cypher", "numpy"):
        assert refused(client, "ball", source=name, engine=engine)[:2] == (404, "not-stored")
    assert client.get(f"{SAMPLE}/neurons/{quote(name, safe='')}").status_code == 404
    assert store.counts() == before


def test_an_unchanged_graph_costs_no_body(client: TestClient, ends: tuple[str, str]) -> None:
    address = f"{SAMPLE}/ball?source={ends[0]}"
    tag = client.get(address).headers["etag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{address}&radius=9", headers={"If-None-Match": tag}).status_code == 200


def test_the_arrays_of_a_sample_are_read_once(
    store: GraphStore, settings: Settings, monkeypatch: pytest.MonkeyPatch, ends: tuple[str, str]
) -> None:
    reads = []
    read_sample = store.read_sample

    def counted(*where: Any, **how: Any) -> Any:
        reads.append(where)
        return read_sample(*where, **how)

    monkeypatch.setattr(store, "read_sample", counted)
    with fresh_client(settings, store) as client:
        for _ in range(3):
            got(client, "ball", source=ends[0], engine="numpy")
        got(client, "boxes", radius=10, last_layer=3)
        got(client, "neurons")
    assert reads == [("stdlib-14m", 2000, 0)]


def fresh_client(settings: Settings, store: GraphStore) -> TestClient:
    return TestClient(create_app(settings, store=store), base_url=LOOPBACK, raise_server_exceptions=False)


def test_a_question_that_takes_too_long_is_a_504(
    store: GraphStore, settings: Settings, ends: tuple[str, str]
) -> None:
    hurried = settings.model_copy(update={"query_timeout": 1e-9})
    with fresh_client(hurried, store) as client:
        status, kind, told = refused(client, "ball", source=ends[0], engine="cypher")
    assert (status, kind) == (504, "query-timeout")
    assert "ask for less" in told


def test_keys_are_asked_for_beyond_loopback(store: GraphStore) -> None:
    public = Settings(host="0.0.0.0", api_key="0123456789abcdef")  # type: ignore[arg-type]
    with TestClient(create_app(public, store=store), base_url="http://example.org") as client:
        assert client.get(f"{SAMPLE}/graph").status_code == 401
        key = {"Authorization": "Bearer 0123456789abcdef"}
        assert client.get(f"{SAMPLE}/graph", headers=key).status_code == 200
