"""What every route answers on a store of real results."""

import csv
import io
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.correlations import correlate
from neuromfa.errors import StoreError
from neuromfa.exports import results_table
from neuromfa.graph import GraphStore
from neuromfa.method_version import METHOD_VERSION
from neuromfa.neuron_chance import since_when
from neuromfa.results import to_json
from neuromfa.scores import Score
from tests.api.conftest import strict_json

SERIES = "/v1/models/stdlib-14m"
STEPS = [0, 128, 512, 2000]


def got(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return strict_json(answer.text)


def test_models_are_listed_by_id(client: TestClient) -> None:
    listing = got(client, "/v1/models")
    assert [item["id"] for item in listing["items"]] == ["org/alone", "stdlib-14m"]
    assert [item["checkpoints"] for item in listing["items"]] == [1, 4]
    assert listing["next"] is None


def test_a_model_names_its_analyses_with_all_options(client: TestClient) -> None:
    model = got(client, SERIES)
    profiles = {(one["profile"], one["hops"]): one for one in model["analyses"]}
    assert set(profiles) == {("exact", "1"), ("paper", "1")}
    assert profiles["exact", "1"]["checkpoints"] == 4
    assert profiles["paper", "1"]["checkpoints"] == 2
    assert profiles["exact", "1"]["options"]["nodes"] == 16
    assert profiles["exact", "1"]["options"]["lambda"] == 1.0


def test_slashes_of_an_id_travel_as_two_dashes(client: TestClient) -> None:
    assert got(client, "/v1/models/org--alone")["id"] == "org/alone"


def test_checkpoints_come_by_step(client: TestClient) -> None:
    items = got(client, f"{SERIES}/checkpoints")["items"]
    assert [item["step"] for item in items] == STEPS
    assert items[0] == {
        "model": "stdlib-14m",
        "step": 0,
        "revision": "step0",
        "spectra": 2,
        "samples": 1,
        "status": "measured",
        "error": None,
        "sentence": None,
    }
    assert got(client, f"{SERIES}/checkpoints/0") == items[0]


def test_a_checkpoint_without_a_step_stands_at_a_dash(client: TestClient) -> None:
    assert got(client, "/v1/models/org--alone/checkpoints/-")["step"] is None
    metrics = got(client, "/v1/models/org--alone/checkpoints/-/metrics")
    assert metrics["step"] is None
    assert metrics["emergence"] is None
    assert metrics["emergence_reason"] == "no_baseline"
    assert metrics["nulls"] is None


def test_two_samples_have_a_mean_and_no_interval(client: TestClient) -> None:
    alpha0 = got(client, "/v1/models/org--alone/checkpoints/-/metrics")["alpha0"]
    assert alpha0["value"] > 0
    assert (alpha0["low"], alpha0["high"], alpha0["n"]) == (None, None, 2)


@pytest.mark.parametrize("step", STEPS)
def test_spectrum_and_metrics_are_the_stored_record(client: TestClient, store: GraphStore, step: int) -> None:
    stored = strict_json(to_json(store.result("stdlib-14m", step, profile="exact")))
    spectrum = got(client, f"{SERIES}/checkpoints/{step}/spectrum", profile="exact")
    assert spectrum["spectrum"] == stored["spectrum"]
    assert spectrum["samples"] is None
    metrics = got(client, f"{SERIES}/checkpoints/{step}/metrics", profile="exact")
    assert metrics.pop("samples") == 3
    scored = [score for score in store.scores("stdlib-14m") if score.step == step]
    assert metrics.pop("scores") == [asdict(score) for score in scored]
    assert len(scored) == 5
    shape = metrics.pop("shape")
    assert shape == {name: stored["shape"][name] for name in shape}
    assert {"spectrum", "samples"} & set(shape) == set()
    assert metrics == {name: stored[name] for name in metrics}
    assert metrics["excess"]["shuffled"]["by_matrix"]["qkv"]["alpha0"]["draws"] == 8
    assert list(metrics["excess"]["shuffled"]["by_block"]) == ["0", "1", "2", "3", "4", "5"]


def test_the_verdict_is_of_the_whole_series_also_beside_a_part(client: TestClient) -> None:
    whole = got(client, f"{SERIES}/emergence", profile="exact")
    part = got(client, f"{SERIES}/emergence", profile="exact", limit="1")
    assert part["verdict"] == whole["verdict"]
    assert whole["verdict"]["step"] == STEPS[-1]
    assert whole["verdict"]["g2"] == whole["items"][-1]["verdict"]["structure"]["g2"]
    shuffled = whole["items"][0]["excess"]["shuffled"]
    assert (shuffled["by_matrix"], shuffled["by_block"]) == ({}, {})


def test_the_samples_of_a_spectrum_come_when_asked_for(client: TestClient) -> None:
    spectrum = got(client, f"{SERIES}/checkpoints/512/spectrum", samples="true", profile="exact")
    assert [sample["seed"] for sample in spectrum["samples"]] == [0, 1, 2]
    means = [sum(taus) / 3 for taus in zip(*(sample["tau"] for sample in spectrum["samples"]), strict=True)]
    assert means == pytest.approx(spectrum["spectrum"]["tau"], abs=1e-12)


def test_profiles_differ_in_the_length_of_alpha(client: TestClient) -> None:
    exact = got(client, f"{SERIES}/checkpoints/0/spectrum", profile="exact")["spectrum"]
    paper = got(client, f"{SERIES}/checkpoints/0/spectrum", profile="paper")["spectrum"]
    assert (len(exact["alpha"]), len(paper["alpha"])) == (61, 60)


def test_emergence_has_one_item_a_step_with_nulls_coverage_and_flags(client: TestClient) -> None:
    items = got(client, f"{SERIES}/emergence", profile="exact")["items"]
    assert [item["step"] for item in items] == STEPS
    assert items[0]["emergence"]["value"] == pytest.approx(0, abs=1e-12)
    for item in items:
        assert set(item["nulls"]) == {"shuffled", "gaussian", "rescaled"}
        assert all(null["emergence"]["value"] is not None for null in item["nulls"].values())
        assert 0 < item["nodes"]["kept"] <= item["nodes"]["total"]
        assert item["edges"]["kept"] > 0
        assert isinstance(item["flags"], list)
        assert item["emergence"]["low"] <= item["emergence"]["value"] <= item["emergence"]["high"]


def test_the_spectra_of_a_series_are_those_of_its_steps(client: TestClient) -> None:
    items = got(client, f"{SERIES}/spectra", profile="exact")["items"]
    assert [item["step"] for item in items] == STEPS
    assert (
        items[2]["spectrum"] == got(client, f"{SERIES}/checkpoints/512/spectrum", profile="exact")["spectrum"]
    )


@pytest.mark.parametrize("what", ["checkpoints", "spectra"])
def test_lists_of_steps_begin_and_end_where_they_are_asked_to(client: TestClient, what: str) -> None:
    def steps(path: str = f"{SERIES}/{what}", **words: Any) -> tuple[list[int], Any]:
        listing = got(client, path, **words)
        return [item["step"] for item in listing["items"]], listing["next"]

    assert steps(from_step=128, to_step=512) == ([128, 512], None)
    assert steps(from_step=129) == ([512, 2000], None)
    assert steps(to_step=0) == ([0], None)
    assert steps(from_step=3, to_step=100) == ([], None)
    first, cursor = steps(from_step=1, limit=2)
    assert (first, steps(from_step=1, limit=2, cursor=cursor)) == ([128, 512], ([2000], None))
    alone = f"/v1/models/org--alone/{what}"
    assert (steps(alone), steps(alone, to_step=9)) == (([None], None), ([], None))
    tags = {client.get(f"{SERIES}/spectra?to_step={last}").headers["etag"] for last in (511, 512)}
    assert len(tags) == 2


def test_without_a_word_the_analysis_with_most_steps_answers_alone_and_tells_of_the_other(
    client: TestClient,
) -> None:
    first, newest = got(client, SERIES)["analyses"]
    assert (first["profile"], newest["profile"]) == ("exact", "paper")
    answer = got(client, f"{SERIES}/emergence")
    assert [item["step"] for item in answer["items"]] == STEPS
    assert answer == got(client, f"{SERIES}/emergence", options=first["options_hash"][:12])
    assert answer["options_hash"] == first["options_hash"]
    told = [{name: one[name] for name in one if name != "options"} for one in (first, newest)]
    assert answer["analyses"] == told
    assert [(one["checkpoints"], one["method_version"]) for one in told] == [
        (4, METHOD_VERSION),
        (2, METHOD_VERSION),
    ]
    shorter = got(client, f"{SERIES}/spectra", options=newest["options_hash"])
    assert [item["step"] for item in shorter["items"]] == [0, 2000]


def test_samples_tell_their_layout_and_provenance(client: TestClient, store: GraphStore) -> None:
    items = got(client, f"{SERIES}/checkpoints/0/samples")["items"]
    manifest = got(client, f"{SERIES}/checkpoints/0/samples/0")
    assert manifest in items
    graph = store.read_sample("stdlib-14m", 0, 0)
    assert manifest["graph_hash"] == graph.graph_hash
    assert (manifest["n_neurons"], manifest["n_edges"]) == (graph.n_neurons, graph.n_edges)
    assert [layer["row"] for layer in manifest["layers"]] == [layer.row for layer in graph.layers]
    assert sum(sum(layer["kinds"].values()) for layer in manifest["layers"]) == graph.n_neurons
    assert sum(layer["edges"] for layer in manifest["layers"]) == graph.n_edges
    assert manifest["layers"][1]["kinds"] == {"query": 16, "key": 16, "value": 16}


def test_neurons_that_depart_say_since_when(client: TestClient, store: GraphStore) -> None:
    tested = store.results("stdlib-14m", profile="exact")
    assert all(one.neurons is not None for one in tested)
    found = got(client, f"{SERIES}/departures", profile="exact", limit=1000)["items"]
    assert found == [strict_json(to_json(one)) for one in since_when(tested)]
    assert got(client, f"{SERIES}/departures", profile="paper")["items"] == [], "not tested there"


# paging


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/models", f"{SERIES}/checkpoints", f"{SERIES}/scores"),
        *(f"{SERIES}/emergence", f"{SERIES}/spectra", f"{SERIES}/correlations"),
    ],
)
def test_pages_put_together_are_the_whole_list(client: TestClient, path: str) -> None:
    fixed = {"profile": "exact"} if path.endswith(("emergence", "spectra", "correlations")) else {}
    whole = got(client, path, **fixed)["items"]
    pages, cursor = [], None
    while True:
        page = got(client, path, limit=1, **fixed, **({} if cursor is None else {"cursor": cursor}))
        assert len(page["items"]) == 1
        pages += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == whole


def test_a_page_never_exceeds_the_setting(
    store: GraphStore, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    smaller = settings.model_copy(update={"page_limit": 2})
    with TestClient(create_app(smaller, store=store), base_url="http://127.0.0.1") as client:
        page = got(client, f"{SERIES}/checkpoints", limit=100)
        assert len(page["items"]) == 2
        assert page["next"] is not None


# caching


@pytest.mark.parametrize(
    "path",
    [
        f"{SERIES}/checkpoints/512/spectrum?profile=exact",
        f"{SERIES}/checkpoints/512/metrics?profile=exact",
        f"{SERIES}/emergence?profile=exact",
        f"{SERIES}/spectra?profile=exact",
        f"{SERIES}/scores",
        f"{SERIES}/correlations?profile=exact",
        f"{SERIES}/departures?profile=exact",
        f"{SERIES}/checkpoints/0/samples/0",
    ],
)
def test_an_unchanged_analysis_costs_no_body(client: TestClient, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    changed = client.get(path, headers={"If-None-Match": '"other"'})
    assert (changed.status_code, changed.content) == (200, first.content)


def test_tags_differ_where_contents_differ(client: TestClient) -> None:
    paths = [
        f"{SERIES}/checkpoints/{step}/metrics?profile={profile}"
        for step, profile in ((0, "exact"), (0, "paper"), (128, "exact"), (2000, "paper"))
    ]
    assert len({client.get(path).headers["etag"] for path in paths}) == len(paths)


# scores


def test_every_measure_and_null_goes_along_with_every_benchmark(
    client: TestClient, store: GraphStore
) -> None:
    items = got(client, f"{SERIES}/correlations", profile="exact", limit=1000)["items"]
    results, scores = store.results("stdlib-14m", profile="exact"), store.scores("stdlib-14m")
    assert items == [asdict(one) for one in correlate(results, scores)]
    models = {item["model"] for item in items if item["measure"] == "emergence"}
    assert models == {"real", "shuffled", "gaussian", "rescaled", "excess"}
    assert {item["n"] for item in items} == {4}
    assert {item["p_reason"] for item in items} == {"few_steps"}
    assert all(item["partial_rms"] is not None for item in items)
    late = got(client, f"{SERIES}/correlations", profile="exact", from_step=512, limit=1000)["items"]
    assert {item["n"] for item in late} == {2}


def test_a_series_without_scores_has_no_correlations(client: TestClient) -> None:
    assert got(client, "/v1/models/org--alone/scores") == {"items": [], "next": None}
    assert got(client, "/v1/models/org--alone/correlations") == {"items": [], "next": None}


def test_new_scores_change_the_tag(client: TestClient, store: GraphStore) -> None:
    path = "/v1/models/org--alone/checkpoints/-/metrics"
    before = client.get(path).headers["etag"]
    assert store.write_scores("org/alone", [Score(None, "made", "acc", 0.5, 0.1)]) == []
    after = client.get(path)
    assert after.headers["etag"] != before
    assert after.json()["scores"] == [
        {"step": None, "task": "made", "metric": "acc", "value": 0.5, "stderr": 0.1}
    ]


def test_a_baseline_chooses_an_analysis(client: TestClient) -> None:
    assert got(client, f"{SERIES}/emergence", baseline="first")["items"]
    answer = client.get(f"{SERIES}/emergence", params={"baseline": "reinit"})
    assert answer.status_code == 404
    assert "has no results for baseline=reinit; there are: profile=exact" in answer.json()["detail"]
    assert client.get(f"{SERIES}/emergence", params={"baseline": "last"}).status_code == 422


# tables


def test_results_come_as_tables(client: TestClient, store: GraphStore) -> None:
    results = store.results("stdlib-14m", profile="exact")
    table = results_table(results)
    answers = {
        form: client.get(f"/v1/export/stdlib-14m.{form}?profile=exact")
        for form in ("csv", "parquet", "arrow")
    }
    assert {answer.status_code for answer in answers.values()} == {200}
    rows = list(csv.DictReader(io.StringIO(answers["csv"].text)))
    assert [float(row["alpha0"]) for row in rows] == [result.alpha0.value for result in results]
    assert pq.read_table(io.BytesIO(answers["parquet"].content)).equals(table)
    assert pa.ipc.open_file(answers["arrow"].content).read_all().equals(table)
    headers = answers["arrow"].headers
    plain, whole = 'filename="stdlib-14m.arrow"', "filename*=UTF-8''stdlib-14m.arrow"
    assert headers["content-disposition"] == f"attachment; {plain}; {whole}"
    again = client.get(
        "/v1/export/stdlib-14m.arrow?profile=exact", headers={"If-None-Match": headers["etag"]}
    )
    assert again.status_code == 304
    for path, status in (("nope.csv", 404), ("stdlib-14m.xlsx", 422), ("stdlib-14m", 404)):
        assert client.get(f"/v1/export/{path}").status_code == status


# health


def test_requests_are_counted_by_template(client: TestClient) -> None:
    for path in ("/v1/models/nope/emergence", f"{SERIES}/emergence", "/nothing/here", "/healthz"):
        client.get(path)
    text = client.get("/metrics").text
    counted = {family.name: family for family in text_string_to_metric_families(text)}
    requests = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for sample in counted["neuromfa_requests"].samples
        if sample.name == "neuromfa_requests_total"
    }
    assert requests["/v1/models/{model}/emergence", "404"] == 1
    assert requests["/v1/models/{model}/emergence", "200"] == 1
    assert requests["none", "404"] == 1
    assert "nope" not in text and "nothing" not in text
    assert counted["neuromfa_store_up"].samples[0].value == 1
    assert counted["neuromfa_requests_under_way"].samples[0].value == 1  # this one
    assert "process_open_fds" in text


def test_alive_asks_nothing(client: TestClient) -> None:
    assert got(client, "/healthz") == {"status": "alive"}


def test_ready_tells_store_schema_and_versions(client: TestClient) -> None:
    answer = got(client, "/readyz")
    assert answer["status"] == "ready"
    assert "ArcadeDB" in answer["store"]["engine"]
    assert answer["store"]["schema_version"] == answer["store"]["schema_version_known"] >= 1
    assert {"neuromfa", "python", "numpy", "scipy", "neo4j"} <= set(answer["versions"])


def test_without_a_store_it_opens_and_closes_its_own(
    store: GraphStore, settings: Any, filled_dir: Any
) -> None:
    app = create_app(settings.model_copy(update={"data_dir": filled_dir}))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert got(client, "/readyz")["status"] == "ready"
        own = app.state.store
        assert own is not store
    with pytest.raises(StoreError):
        own.ping()
    store.ping()


# what a browser is given


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/static/live.js", "text/javascript"),
        ("/static/site.css", "text/css"),
        ("/static/vendor/vega.min.js", "text/javascript"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/charts/spectrum.json", "application/json"),
        ("/openapi.json", "application/json"),
    ],
)
def test_files_come_with_their_type_and_a_strict_policy(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/docs"):
        text = client.get(path).text
        assert 'src="http' not in text
        assert "<script>" not in text
        assert "cdn" not in text.lower()
