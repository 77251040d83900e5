"""Every way a request can fail has one shape, a status that fits, and a sentence that helps."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from neuromfa import errors
from neuromfa.app.api.health import ready
from neuromfa.app.errors import KINDS, TABLE, kind_of
from neuromfa.app.log_lines import WithRequest
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore
from tests.api.conftest import LOOPBACK

SERIES = "/v1/models/stdlib-14m"
REQUIRED = {"type", "title", "status", "detail", "instance", "request_id"}


def problem(client: TestClient, path: str, *, method: str = "GET", **keywords: object) -> dict[str, object]:
    answer = client.request(method, path, **keywords)  # type: ignore[arg-type]
    assert answer.status_code >= 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body = json.loads(answer.text)
    assert set(body) >= REQUIRED
    assert set(body) <= REQUIRED | {"errors"}
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["type"].removeprefix("/problems/") in KINDS
    return dict(body)


@pytest.mark.parametrize(
    ("path", "status", "kind", "words"),
    [
        ("/v1/models/nope", 404, "not-stored", "'nope' is not in the store"),
        ("/v1/models/nope/checkpoints", 404, "not-stored", "'nope'"),
        ("/v1/models/nope/emergence", 404, "not-stored", "'nope'"),
        (f"{SERIES}/checkpoints/7", 404, "not-stored", "there are: 0, 128, 512, 2000"),
        (f"{SERIES}/checkpoints/7/spectrum", 404, "not-stored", "there are: 0, 128, 512, 2000"),
        (f"{SERIES}/checkpoints/-/metrics", 404, "not-stored", "no checkpoint at step -"),
        (f"{SERIES}/emergence?hops=multi", 404, "not-stored", "profile=exact, hops=1"),
        ("/v1/models/org--alone/checkpoints/-/spectrum?profile=paper", 404, "not-stored", "profile=exact"),
        (f"{SERIES}/checkpoints/512/metrics?profile=paper", 404, "not-stored", "step 512"),
        (f"{SERIES}/emergence?options=00000000", 404, "not-stored", "options=00000000"),
        (f"{SERIES}/checkpoints/0/samples/99", 404, "not-stored", "stored seeds: 0"),
        (f"{SERIES}/checkpoints/abc", 422, "invalid-request", "path.step"),
        (f"{SERIES}/checkpoints/99999999999999999999", 422, "invalid-request", "path.step"),
        (f"{SERIES}/checkpoints/-5", 422, "invalid-request", "path.step"),
        (f"{SERIES}/checkpoints/0/samples/x", 422, "invalid-request", "path.seed"),
        (f"{SERIES}/checkpoints/0/samples/-1", 422, "invalid-request", "path.seed"),
        (f"{SERIES}/emergence?profile=nope", 422, "invalid-request", "query.profile"),
        (f"{SERIES}/emergence?hops=0", 422, "invalid-request", "query.hops"),
        (f"{SERIES}/emergence?options=xyz", 422, "invalid-request", "query.options"),
        (f"{SERIES}/scores?cursor=-1", 422, "invalid-request", "query.cursor"),
        (f"{SERIES}/checkpoints?cursor=abc", 422, "invalid-request", "cursor"),
        ("/v1/models?limit=0", 422, "invalid-request", "query.limit"),
        ("/v1/models?limit=1001", 422, "invalid-request", "query.limit"),
        ("/v1/models?limit=many", 422, "invalid-request", "query.limit"),
        ("/v1/nothing", 404, "not-found", "no route answers GET /v1/nothing"),
        ("/static/nothing.js", 404, "not-found", "no route answers"),
        ("/static/../settings.py", 404, "not-found", "no route answers"),
        ("/static/%2e%2e/settings.py", 404, "not-found", "no route answers"),
        ("/problems/nope", 404, "not-stored", "no problem is called"),
    ],
)
def test_bad_requests(client: TestClient, path: str, status: int, kind: str, words: str) -> None:
    found = problem(client, path)
    assert (found["status"], found["type"]) == (status, f"/problems/{kind}")
    assert words in str(found["detail"])


def test_a_wrong_method(client: TestClient) -> None:
    answer = client.post("/v1/models")
    assert answer.headers["allow"] == "GET, HEAD"
    assert problem(client, "/v1/models", method="POST")["type"] == "/problems/method-not-allowed"


def test_invalid_requests_name_each_fault(client: TestClient) -> None:
    found = problem(client, f"{SERIES}/emergence?profile=a&hops=b")
    assert [fault["where"] for fault in found["errors"]] == ["query.profile", "query.hops"]  # type: ignore[index,attr-defined]


def test_types_of_problems_explain_themselves(client: TestClient) -> None:
    for name, kind in KINDS.items():
        assert client.get(f"/problems/{name}").json() == {
            "name": name,
            "status": kind.status,
            "title": kind.title,
        }


def test_every_error_of_the_tree_has_a_row() -> None:
    tree = [value for value in vars(errors).values() if isinstance(value, type)]
    for error in tree:
        assert kind_of(error("why")) in TABLE.values()
    assert kind_of(errors.TooFewRadii("why")) is TABLE[errors.AnalysisError]


# text that wants to be more than text

CORPUS = [
    "' OR 1=1 --",
    "'}) MATCH (n) DETACH DELETE n //",
    "a`) DETACH DELETE (n",
    "$id",
    "{id}",
    "<script>alert(1)</script>",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "\u202eevil",
    "é" * 90,
    "a" * 200,
    "%F0%9F%92%A5",
    "LOAD CSV FROM 'file:///etc/passwd' AS x RETURN x",
]


@pytest.mark.parametrize("text", CORPUS)
def test_no_text_becomes_a_query_or_a_path(client: TestClient, store: GraphStore, text: str) -> None:
    before = store.counts()
    for path in (f"/v1/models/{text}", f"/v1/models/{text}/emergence", f"{SERIES}/checkpoints/{text}"):
        assert problem(client, path)["status"] in (404, 422)
    for parameter in ("cursor", "profile", "options", "limit"):
        answer = client.get(f"{SERIES}/emergence", params={parameter: text})
        assert answer.status_code in (404, 422)
        assert answer.headers["content-type"] == "application/problem+json"
    listing = client.get("/v1/models", params={"cursor": text})
    assert listing.status_code in (200, 422)
    assert store.counts() == before


# what surrounds a request


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "10.0.0.1", ""]
)
def test_other_hosts_are_refused_on_loopback(client: TestClient, host: str) -> None:
    found = problem(client, "/v1/models", headers={"Host": host})
    assert (found["status"], found["type"]) == (421, "/problems/wrong-host")
    assert "NEUROMFA_ALLOWED_HOSTS" in str(found["detail"])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "127.0.0.5", "LOCALHOST:1"])
def test_names_of_this_machine_pass(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_an_allowed_host_passes(store: GraphStore, settings: Settings) -> None:
    named = settings.model_copy(update={"allowed_hosts": "Lab.Example, other.example"})
    with TestClient(create_app(named, store=store), base_url=LOOPBACK) as client:
        assert client.get("/healthz", headers={"Host": "lab.example:443"}).status_code == 200
        assert problem(client, "/healthz", headers={"Host": "third.example"})["status"] == 421


def test_a_request_id_is_kept_when_it_is_harmless(client: TestClient) -> None:
    assert (
        client.get("/healthz", headers={"X-Request-ID": "abc-12345"}).headers["x-request-id"] == "abc-12345"
    )
    for given in ("short", "x" * 65, "a b c d e f", "abcdefgh\u00e9"):
        headers = {"X-Request-ID": given.encode("latin-1")}
        assert client.get("/healthz", headers=headers).headers["x-request-id"] != given


# beyond loopback

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEY = "a-key-of-some-length"


@pytest.fixture
def public(store: GraphStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[TestClient]:
    monkeypatch.chdir(tmp_path)
    settings = Settings(host="0.0.0.0", api_key=KEY)
    with TestClient(create_app(settings, store=store), base_url="http://lab.example") as client:
        yield client


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic abc", f"Bearer {KEY}x", "Bearer é", KEY])
def test_reads_beyond_loopback_need_the_key(public: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode()}
    answer = public.get("/v1/models", headers=headers)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    found = problem(public, "/v1/models", headers=headers)
    assert (found["status"], found["type"]) == (401, "/problems/key-needed")
    assert KEY not in str(found)


def test_the_key_opens_and_page_and_health_need_none(public: TestClient) -> None:
    assert public.get("/v1/models", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    for path in ("/docs", "/healthz", "/readyz", "/openapi.json", "/static/live.js"):
        assert public.get(path).status_code == 200


def test_a_page_asks_a_browser_for_the_key_and_remembers_it(public: TestClient) -> None:
    asked = public.get("/models/stdlib-14m?tab=numbers")
    assert (asked.status_code, 'action="../key"' in asked.text) == (401, True)
    wrong = public.post("/key", content="key=wrong&then=/", headers=FORM)
    assert (wrong.status_code, "another key" in wrong.text, "set-cookie" in wrong.headers) == (
        401,
        True,
        False,
    )
    for then, leads in (
        ("/models/x?tab=numbers", "./models/x?tab=numbers"),
        ("//evil.example", "./evil.example"),
    ):
        body = urlencode({"key": KEY, "then": then})
        given = public.post("/key", content=body, headers=FORM, follow_redirects=False)
        assert (given.status_code, given.headers["location"]) == (303, leads)
    assert KEY not in given.headers["set-cookie"]
    assert "HttpOnly" in given.headers["set-cookie"] and "SameSite=strict" in given.headers["set-cookie"]
    assert (public.get("/").status_code, public.get("/v1/models").status_code) == (200, 200)
    public.cookies.set("neuromfa", "0" * 64)
    public.cookies.clear()
    assert public.get("/").status_code == 401


def test_opened_reads_answer_to_loopback_names_only(store: GraphStore, settings: Settings) -> None:
    opened = settings.model_copy(update={"host": "0.0.0.0", "open_reads": True})
    with TestClient(create_app(opened, store=store), base_url=LOOPBACK) as client:
        assert client.get("/v1/models").status_code == 200
        assert problem(client, "/v1/models", headers={"Host": "evil.example"})["status"] == 421


# the store behind it


class _Broken:
    """A store on which every question raises the same error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> object:
        def ask(*_: object, **__: object) -> None:
            raise self._error

        return ask


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.StoreUnavailable("the store at bolt://x does not answer"), 503, "store-unavailable"),
        (errors.QueryTimeout("took longer than 30 s"), 504, "query-timeout"),
        (errors.SchemaMismatch("a newer schema"), 503, "schema-mismatch"),
        (errors.StoreConflict("somebody writes"), 409, "store-conflict"),
        (errors.StoreError("odd"), 500, "store-failed"),
        (errors.EmptyNetwork("no neuron"), 422, "no-such-number"),
    ],
)
def test_errors_of_the_store_keep_their_words(
    settings: Settings, error: Exception, status: int, kind: str
) -> None:
    app = create_app(settings, store=_Broken(error))  # type: ignore[arg-type]
    with TestClient(app, base_url=LOOPBACK, raise_server_exceptions=False) as client:
        for path in ("/v1/models", "/readyz"):
            found = problem(client, path)
            assert (found["status"], found["type"], found["detail"]) == (
                status,
                f"/problems/{kind}",
                str(error),
            )
        assert ("retry-after" in client.get("/v1/models").headers) == (status == 503)
        assert client.get("/healthz").status_code == 200


def test_what_nobody_foresaw_tells_only_its_request_id(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings, store=_Broken(RuntimeError("secret of the inside")))  # type: ignore[arg-type]
    caplog.handler.addFilter(WithRequest())
    with TestClient(app, base_url=LOOPBACK, raise_server_exceptions=False) as client:
        found = problem(client, "/v1/models")
    assert (found["status"], found["type"]) == (500, "/problems/internal")
    assert "secret" not in json.dumps(found)
    [line] = [record for record in caplog.records if record.name == "neuromfa.app"]
    assert line.request == f"request {found['request_id']}: "  # type: ignore[attr-defined]
    assert "secret of the inside" in caplog.text


def test_a_store_of_a_newer_version_is_not_ready() -> None:
    class Newer(_Broken):
        def ping(self) -> None: ...

        def versions(self) -> dict[str, object]:
            return {"server": "x", "schema_version": 9, "schema_version_known": 1}

    with pytest.raises(errors.SchemaMismatch, match="schema 9"):
        ready(Newer(RuntimeError()))  # type: ignore[arg-type]


def test_a_wrong_method_is_told_all_right_ones(client: TestClient) -> None:
    assert client.put("/v1/jobs").headers["allow"] == "GET, HEAD, POST"
    assert client.put(f"/v1/jobs/{'0' * 32}").headers["allow"] == "DELETE, GET, HEAD"
    assert client.post("/v1/models").headers["allow"] == "GET, HEAD"
