"""`make neo4j` as a person meets it: one address, the Neo4j Browser connected, styled, with guide and saved queries."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from neuromfa.app.neo4j_browser.queries import saved_queries
from neuromfa.app.neo4j_browser.style import style_rules
from neuromfa.app.settings import is_loopback
from neuromfa.errors import StoreUnavailable
from neuromfa.servers.neo4j_assembly import find_java, home_folder, is_assembled
from tests.e2e.exploring import enter, newest, run, turn_to
from tests.requirements import chromium, missing

ROOT = Path(__file__).parents[2]
STOP_S = 30

pytestmark = [
    pytest.mark.neo4j,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("neo4j-browser"),
]


@dataclass
class Running:
    """A running `neuromfa browser`: the process, its folder, and what it printed."""

    process: subprocess.Popen[str]
    folder: Path
    address: str
    bolt: str
    password: str


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "neuromfa.app.cli.main",
        "browser",
        "--data-dir",
        str(folder),
        "--steps",
        "2000",
        *more,
    ]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    chromium()
    if not is_assembled(home_folder()):
        missing("neo4j", f"no Neo4j in {home_folder()}")
    try:
        find_java()
    except StoreUnavailable as error:
        missing("neo4j", str(error))
    folder = tmp_path_factory.mktemp("person") / "neo4j"
    process = started(folder, "--port", "0", "--bolt-port", "0")
    try:
        assert process.stdout is not None and process.stderr is not None
        lines = process.stdout.readline(), process.stdout.readline()
        said = re.search(
            r"(http://\S+)\n.*?(bolt://\S+)   user neo4j   password (\S+)", "".join(lines), re.DOTALL
        )
        assert said is not None, (lines, process.stderr.read())
        yield Running(process, folder, said[1], said[2], said[3])
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@dataclass
class Visitor:
    """A page in a fresh profile, and what it asked for."""

    page: Page
    answered: list[str]
    refused: list[str]


@pytest.fixture(scope="module")
def visitor(browser: Browser, running: Running) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1400, "height": 860})
    visitor = Visitor(context.new_page(), [], [])
    visitor.page.on("requestfinished", lambda request: visitor.answered.append(request.url))
    visitor.page.on(
        "requestfailed", lambda request: visitor.refused.append(f"{request.failure} {request.url}")
    )
    enter(visitor.page, running.address)
    yield visitor
    context.close()


def outside(urls: list[str]) -> list[str]:
    web = [url for url in urls if urlsplit(url).scheme in ("http", "https", "ws", "wss")]
    return [url for url in web if not is_loopback(urlsplit(url).hostname or "")]


def test_opens_connected_with_guide_and_overview(visitor: Visitor, running: Running) -> None:
    page = visitor.page
    assert running.password not in page.url
    expect(page.get_by_text("Ten minutes with a neuron interaction network")).to_be_visible()
    drawing = newest(page).locator("svg")
    expect(drawing.get_by_text("step 2000")).to_have_count(1)
    expect(drawing.get_by_text("stdlib-14m")).to_have_count(1)


def test_style_colours_neurons_and_names_them(visitor: Visitor) -> None:
    turn_to(visitor.page, "Minute 5")
    frame = run(visitor.page)
    nodes = frame.locator("svg .node")
    nodes.first.wait_for()
    fills = set(
        frame.locator("svg .node circle").evaluate_all("all => all.map(one => one.getAttribute('fill'))")
    )
    rules = style_rules()
    assert {rules[f"node.{kind}"]["color"] for kind in ("Input", "Key", "Attention", "Dense", "Mlp")} <= fills
    assert nodes.count() == 15
    expect(frame.locator("svg").get_by_text("B02.key.00066")).to_have_count(1)


def test_a_table_of_the_guide_has_its_numbers(visitor: Visitor) -> None:
    turn_to(visitor.page, "Minute 9")
    frame = run(visitor.page)
    expect(frame.get_by_text("edges_in_range").first).to_be_visible()
    expect(frame.get_by_text(re.compile(r"B02\.(mlp|attention)\.\d{5}")).first).to_be_visible()


def test_saved_queries_are_among_the_favourites(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_test_id("navigationFavorites").click()
    folder = page.get_by_text("NeuroMFA", exact=True)
    expect(folder).to_be_visible()
    folder.click()
    for query in saved_queries().values():
        expect(page.get_by_test_id(f"scriptTitle-{query.title}")).to_be_visible()
    page.get_by_test_id("navigationGuides").click()


def test_the_browser_reads_only(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("#monaco-main-editor").click()
    page.keyboard.type("CREATE (n:Stranger) RETURN n")
    page.get_by_test_id("editor-Run").click()
    expect(newest(page).get_by_test_id("cypherFrameErrorMessage")).to_contain_text(
        "Writing in read access mode not allowed"
    )


def test_nothing_was_asked_of_the_outside(visitor: Visitor) -> None:
    assert outside(visitor.answered) == []
    assert all(refusal.startswith("csp ") for refusal in visitor.refused), visitor.refused


def test_password_is_its_owners_and_pages_are_this_machines(running: Running) -> None:
    kept = running.folder / "password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text().strip() == running.password
    root = running.address.split("/open")[0]
    assert httpx.get(f"{root}/setup.json").status_code == 200
    assert running.password not in httpx.get(f"{root}/setup.json").text
    assert httpx.get(f"{root}/setup.json", headers={"Host": "elsewhere.example"}).status_code == 400
    assert httpx.get(f"{root}/browser/../../etc/passwd").status_code == 404
    for shared in ("style.grass", "guide.html"):
        asked = httpx.options(f"{root}/{shared}", headers={"Access-Control-Request-Headers": "cache-control"})
        assert asked.headers["Access-Control-Allow-Headers"] == "*"
        assert httpx.get(f"{root}/{shared}").headers["Access-Control-Allow-Origin"] == "*"
    assert httpx.get(f"{root}/", headers={"Accept": "application/json"}).json()["bolt_direct"] == running.bolt


def test_a_second_one_on_the_same_folder_is_refused(running: Running) -> None:
    second = started(running.folder, "--port", "0", "--bolt-port", "0")
    _, said = second.communicate(timeout=100)
    assert second.returncode == 1
    assert "another `neuromfa browser` runs in" in " ".join(said.split())


def test_a_taken_port_is_refused(running: Running, tmp_path: Path) -> None:
    port = urlsplit(running.address).port
    second = started(tmp_path / "other", "--port", str(port))
    _, said = second.communicate(timeout=100)
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in said


def test_ctrl_c_stops_everything(running: Running) -> None:
    """The last test: it ends what the others use."""
    servers = children(running.process.pid)
    assert servers
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(STOP_S) == 0
    assert [pid for pid in servers if alive(pid)] == []
    for port in (urlsplit(running.address).port, urlsplit(running.bolt).port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
