"""What browsers are given beside the pages' words: packing, files kept for good, tags, policies, nothing as markup."""

import csv
import io
import re

import pytest
from fastapi.testclient import TestClient

from neuromfa.app.pages.templating import assets_tag

GRAPH = "/models/stdlib-14m/graph/512"
PAGES = ["/", "/models/stdlib-14m?profile=exact", "/compare?models=stdlib-14m,org--alone", GRAPH]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_packed_tagged_and_strict(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "'unsafe" not in answer.headers["content-security-policy"]
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert not re.search(r"<script(?![^>]*(?: src=|application/json))|\son[a-z]+=|\sstyle=", answer.text)


def test_assets_are_kept_for_good_under_their_hash_only(client: TestClient) -> None:
    kept = client.get(f"/assets/{assets_tag()}/site.css")
    assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
    assert client.get("/assets/0123456789ab/site.css").headers["cache-control"] == "no-cache"
    assert client.get(f"/assets/{assets_tag()}/vendor/vega.min.js").status_code == 200
    for path in ("templates/base.html", "../main.py", "nothing.js"):
        assert client.get(f"/assets/{assets_tag()}/{path}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/?q={}", "/compare?models={},b", "/models/{}", "/models/stdlib-14m?step={}"]
)
def test_words_of_an_address_are_never_markup(client: TestClient, path: str) -> None:
    text = client.get(path.format("%3Cimg src=x onerror=alert(1)%3E")).text
    assert "<img src=x" not in text
    assert "&lt;img" in text or "img src=x" not in text


def test_an_address_of_the_former_page_leads_on(client: TestClient) -> None:
    answer = client.get("/?model=org/alone&profile=exact&step=-", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        307,
        "./models/org--alone?profile=exact&step=-",
    )


def test_every_heat_map_of_the_layers_is_a_table(client: TestClient) -> None:
    path = "/models/stdlib-14m?profile=exact"
    page = client.get(path).text
    names = re.findall(r'href="[^"]*csv=([^"&]*)" download aria-label="[^"]* and step as CSV"', page)
    kinds = ("input", "qkv", "attention", "dense", "mlp")
    figures = [f"{name}-by-{by}" for by in ("block", "kind") for name in ("g2", "alpha0", "width")]
    assert set(figures) < set(names) and {f"nfd-by-block-{kind}" for kind in kinds} & set(names)
    for name in names:
        answer = client.get(f"{path}&csv={name}")
        assert answer.status_code == 200 and answer.text.startswith("step,row,value,low,high,p\n")
    step = client.get("/v1/models/stdlib-14m/emergence?profile=exact").json()["items"][-1]["step"]
    served = client.get(f"/v1/models/stdlib-14m/checkpoints/{step}/metrics?profile=exact").json()
    rows = list(csv.DictReader(io.StringIO(client.get(f"{path}&csv=width-by-block").text)))
    found = {row["row"]: row for row in rows if row["step"] == str(step)}
    for block, own in served["excess"]["shuffled"]["by_block"].items():
        row = found[f"block {block}"]
        assert all(float(row[part]) == own["width"][part] for part in ("value", "low", "high", "p"))
    refused = client.get(f"{path}&csv=nothing")
    assert refused.status_code == 404 and "g2-by-block" in refused.text


def test_the_terms_of_a_path_are_a_table(client: TestClient) -> None:
    step = 512
    listed = f"/v1/models/stdlib-14m/checkpoints/{step}/samples/0"
    ends = [client.get(f"{listed}/neurons?layer={layer}").json()["items"][4]["name"] for layer in (0, 3)]
    served = client.get(f"{listed}/path", params={"source": ends[0], "target": ends[1]}).json()
    asked = {"neuron": ends[0], "to": ends[1], "csv": "path"}
    answer = client.get(f"/models/stdlib-14m/graph/{step}", params=asked)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    edges = [row for row in rows if row["number"]]
    assert [(row["source"], row["target"], float(row["length"])) for row in edges] == [
        (edge["source"], edge["target"], edge["distance"]) for edge in served["edges"]
    ]
    assert [float(row["length"]) for row in rows if not row["number"]] == [served["gamma"]] * 2
    assert float(rows[-1]["sum"]) == pytest.approx(served["distance"], rel=1e-12)
    assert client.get(f"/models/stdlib-14m/graph/{step}?csv=path").status_code == 404


def test_a_graph_that_was_looked_at_is_drawn_from_memory_next(client: TestClient) -> None:
    held = client.app.state.samples  # type: ignore[attr-defined]
    from_store = {words: client.get(f"{GRAPH}?{words}").text for words in ("", "since=128")}
    assert len(held) == 2
    for words, text in from_store.items():
        assert client.get(f"{GRAPH}?{words}").text == text
