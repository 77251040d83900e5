"""The pages of `neuromfa browser` with a jar of three files: addresses, headers, and what the Browser is given."""

import json
import socket
import zipfile
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from neuromfa.app.neo4j_browser.queries import saved_queries
from neuromfa.app.neo4j_browser.site import Places, Site, create_site

PASSWORD = "a-password"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    jar = tmp_path / "neo4j-browser.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("browser/index.html", "<p>the Browser</p>")
        archive.writestr("browser/app.js", "1")
        archive.writestr("META-INF/notice", "no page")
    return Places(jar=jar, port=7475, bolt_port=7688, user="neo4j")


@pytest.fixture
def client(places: Places) -> TestClient:
    return TestClient(create_site(places), base_url="http://localhost:7475")


def test_people_get_the_browser_and_the_browser_gets_the_address_of_neo4j(client: TestClient) -> None:
    page = client.get("/", headers={"Accept": "text/html,*/*"}, follow_redirects=False)
    assert (page.status_code, page.headers["Location"]) == (307, "/open")
    found = client.get("/", headers={"Accept": "application/json"}).json()
    assert found["bolt_direct"] == found["bolt_routing"] == "bolt://127.0.0.1:7688"


@pytest.mark.parametrize(
    ("path", "kind"), [("/browser/", "text/html"), ("/browser/app.js", "text/javascript")]
)
def test_files_of_the_jar_may_call_this_neo4j_only(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(path)
    assert answer.headers["Content-Type"].startswith(kind)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["connect-src"] == "'self' http://localhost:7475 ws://localhost:7688 ws://127.0.0.1:7688"
    assert not [source for source in policy.values() if "https:" in source or "*" in source]


@pytest.mark.parametrize(
    "path", ["/browser/none.js", "/browser/../META-INF/notice", "/browser/%2e%2e/META-INF/notice"]
)
def test_nothing_else_of_the_jar_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_another_name_is_refused(client: TestClient) -> None:
    assert client.get("/setup.json", headers={"Host": "evil.example"}).status_code == 400


def test_setup_has_everything_but_the_password(client: TestClient, places: Places) -> None:
    setup = client.get("/setup.json").json()
    assert [document["id"] for document in setup["documents"]] == [
        f"neuromfa-{name}" for name in saved_queries()
    ]
    assert {document["folder"] for document in setup["documents"]} == {
        folder["id"] for folder in setup["folders"]
    }
    assert setup["connection"] | {"host": "bolt://127.0.0.1:7688", "username": "neo4j"} == setup["connection"]
    assert setup["style"]["node.Mlp"]["caption"] == "{name}"
    assert setup["settings"]["useReadTransactions"] is True
    assert setup["settings"]["autoComplete"] is False
    assert "password" not in json.dumps(setup)
    assert places.opening(PASSWORD) == f"http://localhost:7475/open#{PASSWORD}"


@pytest.mark.parametrize("path", ["/style.grass", "/guide.html"])
def test_style_and_guide_may_be_read_from_another_browser(client: TestClient, path: str) -> None:
    for answer in (client.get(path), client.options(path)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Headers"] == "*"
    assert "Access-Control-Allow-Origin" not in client.get("/setup.json").headers


def test_site_is_up_inside_its_block_and_gone_after_it(places: Places) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with Site(create_site(places), listener):
            assert "Opening the Neo4j Browser" in httpx.get(f"http://localhost:{port}/open").text
            assert "localStorage" in httpx.get(f"http://localhost:{port}/open.js").text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://localhost:{port}/open")
