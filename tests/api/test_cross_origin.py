"""Pages of origins that the operator named may read answers, and nobody else may anything."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings, load_settings
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from tests.api.conftest import LOOPBACK

NOTEBOOK = "https://notebooks.example"
ALLOWED = "access-control-allow-origin"


@pytest.fixture
def opened(store: GraphStore, settings: Settings) -> Iterator[TestClient]:
    named = settings.model_copy(update={"cors_origins": f"{NOTEBOOK}/, http://localhost:8888"})
    with TestClient(create_app(named, store=store), base_url=LOOPBACK) as client:
        yield client


def preflight(
    client: TestClient, origin: str, method: str = "GET", headers: str = "authorization"
) -> tuple[int, str]:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    answer = client.options("/v1/models", headers={"Origin": origin} | asked)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "access-control-allow-credentials" not in answer.headers
    return answer.status_code, answer.headers.get(ALLOWED, "")


def test_a_named_origin_may_read_with_a_key(opened: TestClient) -> None:
    assert preflight(opened, NOTEBOOK) == (200, NOTEBOOK)
    answer = opened.get("/v1/models", headers={"Origin": "http://localhost:8888"})
    assert answer.headers[ALLOWED] == "http://localhost:8888"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert {"ETag", "Link"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_a_named_origin_may_ask_for_something_costly_and_no_other(opened: TestClient) -> None:
    for origin, status in ((NOTEBOOK, 200), ("https://evil.example", 403)):
        headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
        assert opened.get("/v1/export/stdlib-14m.csv?profile=exact", headers=headers).status_code == status


def test_a_problem_can_be_read_too(opened: TestClient) -> None:
    answer = opened.get("/v1/models/nope", headers={"Origin": NOTEBOOK})
    assert (answer.status_code, answer.headers[ALLOWED]) == (404, NOTEBOOK)


def test_no_other_origin_and_no_write(opened: TestClient) -> None:
    for origin in ("https://evil.example", f"{NOTEBOOK}.evil.example", "null", "http://notebooks.example"):
        assert preflight(opened, origin)[0] == 400
        assert ALLOWED not in opened.get("/v1/models", headers={"Origin": origin}).headers
    for method in ("POST", "DELETE"):
        assert preflight(opened, NOTEBOOK, method)[0] == 400
    assert preflight(opened, NOTEBOOK, headers="x-surprise")[0] == 400
    assert opened.delete("/v1/models/nope", headers={"Origin": NOTEBOOK}).status_code == 403


def test_without_a_word_nobody_may(client: TestClient) -> None:
    answer = client.get("/v1/models", headers={"Origin": NOTEBOOK})
    assert ALLOWED not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert client.options("/v1/models").status_code == 405


@pytest.mark.parametrize("value", ["*", "notebooks.example", "https://*.example", "https://a.example/path"])
def test_an_origin_is_named_in_full(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("NEUROMFA_CORS_ORIGINS", value)
    with pytest.raises(OptionError, match="NEUROMFA_CORS_ORIGINS"):
        load_settings()
