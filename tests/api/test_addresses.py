"""What stands in an address: words that are known, HEAD beside GET, a path before all of it, links to other parts."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.app.openapi import openapi_document
from neuromfa.app.settings import Settings, load_settings
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from tests.api.conftest import LOOPBACK
from tests.api.test_contracts import ANSWERS, SERIES

PREFIX = "/neuromfa"
CONTRACT = openapi_document()["paths"]
FILLED = {
    "model": "stdlib-14m", "step": "512", "seed": "0", "layer": "3", "name": "B00.input.00051", "number": "alpha0",
    "format": "csv", "form": "csv", "id": "0" * 32, "analysis_hash": "0" * 64,
}  # fmt: skip


@pytest.fixture
def behind(store: GraphStore, settings: Settings) -> TestClient:
    below = settings.model_copy(update={"root_path": PREFIX})
    return TestClient(create_app(below, store=store), base_url=LOOPBACK, raise_server_exceptions=False)


def test_no_route_passes_over_a_word_it_does_not_know(client: TestClient) -> None:
    asked = [(route, method) for route, methods in CONTRACT.items() for method in methods]
    for route, method in asked:
        answer = client.request(method, route.format_map(FILLED) + "?surplus=1")
        assert answer.status_code == 422, (route, method)
        assert [fault["where"] for fault in answer.json()["errors"]][0] == "query.surplus"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("baselin=reinit", "the nearest is baseline"),
        ("Profile=exact", "the nearest is profile"),
        ("limit=1&limit=2", "is given 2 times"),
        ("limit=1&limit=1&steps=3", "query.limit: is given 2 times"),
    ],
)
def test_a_fault_of_a_word_is_told(client: TestClient, query: str, words: str) -> None:
    answer = client.get(f"{SERIES}/emergence?{query}")
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_an_address_without_words_says_so(client: TestClient) -> None:
    assert "takes no parameters" in client.get(f"{SERIES}?profile=exact").json()["detail"]


def test_a_page_says_a_word_it_does_not_know(client: TestClient) -> None:
    answer = client.get("/?anything=1")
    assert (answer.status_code, "anything: is not known" in answer.text) == (422, True)


def test_head_is_get_without_a_body(client: TestClient) -> None:
    for path in (*ANSWERS.values(), "/", "/docs", "/openapi.json", "/static/live.js"):
        head, whole = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (200, b""), path
        for header in ("content-type", "content-length", "etag"):
            assert head.headers.get(header) == whole.headers.get(header), path


def test_head_of_what_is_not_there(client: TestClient) -> None:
    assert (client.head("/v1/models/nope").status_code, client.head("/nothing").status_code) == (404, 404)
    assert client.head("/v1/cypher").status_code == 405


@pytest.mark.parametrize("taken_away", [True, False])
def test_a_prefix_stands_in_every_link_whether_the_proxy_takes_it_away_or_not(
    behind: TestClient, taken_away: bool
) -> None:
    at = "" if taken_away else PREFIX
    assert behind.get(f"{at}/v1/models").status_code == 200
    assert behind.get(f"{at}/static/live.js").headers["content-type"].startswith("text/javascript")
    assert behind.get(f"{at}/openapi.json").json()["servers"] == [{"url": PREFIX}]
    for path, kind in (("/v1/models/nope", "not-stored"), ("/static/nope.js", "not-found")):
        problem = behind.get(at + path).json()
        assert problem["instance"] == PREFIX + path
        assert problem["type"] == f"{PREFIX}/problems/{kind}"
        assert behind.get(problem["type"]).json()["name"] == kind


def test_the_bare_prefix_leads_to_the_page(behind: TestClient) -> None:
    assert behind.get(PREFIX).history[0].headers["location"].endswith(f"{PREFIX}/")
    assert "neuromfax" in behind.get("/neuromfax/v1/models").json()["detail"]


@pytest.mark.parametrize(
    "page",
    ["/", "/docs", "/compare", "/models/stdlib-14m?tab=numbers", "/compare?models=stdlib-14m,org--alone"],
)
def test_all_that_a_page_asks_for_is_named_relatively(client: TestClient, page: str) -> None:
    text = unescape(client.get(page).text)
    targets = re.findall(r'(?:href|src)="([^"#]+)"', text)
    assert len(targets) > 4
    for target in map(unescape, targets):
        assert not target.startswith(("/", "http")), target
        assert client.get(urljoin(page, target)).status_code == 200, target


@pytest.mark.parametrize(
    "page",
    [
        "/models/stdlib-14m?tab=layers",
        "/models/stdlib-14m/graph/512?since=128&block=1",
        "/models/stdlib-14m/graph/512?neuron=B00.input.00051&boxes=10",
    ],
)
def test_links_of_newer_pages_hold_behind_a_prefix(behind: TestClient, page: str) -> None:
    text = unescape(behind.get(PREFIX + page).text)
    targets = re.findall(r'(?:href|src)="([^"#]+)"', text)
    assert [one for one in targets if one.startswith(("/", "http"))] == []
    tables = [one for one in targets if "csv=" in one]
    assert tables
    for target in (*tables, *targets[-3:]):
        answer = behind.get(urljoin(PREFIX + page, target))
        assert answer.status_code == 200, target
    assert behind.get(urljoin(PREFIX + page, tables[0])).headers["content-type"].startswith("text/csv")


def test_no_script_asks_absolutely() -> None:
    web = Path(__file__).parents[2] / "app" / "web"
    for script in web.glob("*.js"):
        absolute = re.findall(r"[\"'`]/(?:v1|static|charts|docs|readyz|openapi)[^\"'`]*", script.read_text())
        assert not absolute, script.name


@pytest.mark.parametrize("value", ["neuromfa", "/neuromfa/", "/a b", "/a//b", "https://host/neuromfa"])
def test_a_prefix_has_one_form(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEUROMFA_ROOT_PATH", value)
    with pytest.raises(OptionError, match="NEUROMFA_ROOT_PATH"):
        load_settings()


@pytest.mark.parametrize(
    "path", ["/v1/models", f"{SERIES}/checkpoints", f"{SERIES}/emergence", f"{SERIES}/scores"]
)
def test_links_lead_through_a_list(client: TestClient, path: str) -> None:
    whole = client.get(path).json()["items"]
    answer = client.get(f"{path}?limit=1")
    walked, seen = answer.json()["items"], 1
    while "next" in answer.links:
        answer = client.get(urljoin(str(answer.url), answer.links["next"]["url"]))
        walked, seen = walked + answer.json()["items"], seen + 1
        assert answer.links["first"]["url"] == "?limit=1"
    assert walked == whole
    assert seen == len(whole) > 1


def test_lists_that_are_counted_lead_back_too(client: TestClient) -> None:
    third = client.get(f"{SERIES}/scores?limit=2&cursor=4")
    assert third.links["prev"]["url"] == "?limit=2&cursor=2"
    assert "prev" not in client.get(f"{SERIES}/scores?limit=2").links
