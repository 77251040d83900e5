"""The page of a stored graph: drawn small enough to be seen, hubs, one neuron, a path whose terms add up."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.test_series_page import axe

pytestmark = pytest.mark.browser

GRAPH = "/models/stdlib-14m/graph/512"


def neurons(address: str, layer: int) -> list[str]:
    path = f"{address}/v1/models/stdlib-14m/checkpoints/512/samples/0/neurons"
    return [one["name"] for one in httpx.get(path, params={"layer": layer}).json()["items"]]


def number(text: str | None) -> float:
    return float((text or "").replace("−", "-"))


def chosen(visit: Callable[..., Visit], words: str, **how: int) -> Page:
    return visit(**how).open(f"{GRAPH}?{words}").page


def test_a_block_is_drawn_from_what_is_served(visit: Callable[..., Visit], address: str) -> None:
    page = visit(width=1400).open(GRAPH).page
    part = httpx.get(
        f"{address}/v1/models/stdlib-14m/checkpoints/512/samples/0/graph", params={"layers": "0-5", "top": 30}
    ).json()
    drawing = page.locator("svg.network")
    assert drawing.locator(".thread").count() == len(part["edges"])
    assert drawing.locator(".spot").count() == len(part["neurons"])
    assert page.evaluate("document.querySelectorAll('svg.network *').length") <= 3000
    expect(page.locator("#panel-strengths .curve")).to_have_count(2)
    hub = page.locator("[data-part=hubs] tbody a").first
    name = hub.text_content() or ""
    hub.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=neuron] h2")).to_have_text(name)
    expect(page).to_have_url(re.compile(f"neuron={name}"))


def test_the_terms_of_a_path_add_up_to_its_length(visit: Callable[..., Visit], address: str) -> None:
    source, target = neurons(address, 0)[3], neurons(address, 3)[5]
    page = chosen(visit, f"neuron={source}&to={target}")
    query = {"source": source, "target": target}
    served = httpx.get(f"{address}/v1/models/stdlib-14m/checkpoints/512/samples/0/path", params=query).json()
    rows = page.locator("#path tbody tr").all()[:-1]
    assert len(rows) == 2 * len(served["edges"]) - 1
    lengths = [number(row.locator("td").nth(1).text_content()) for row in rows]
    assert sum("gamma" in (row.text_content() or "") for row in rows) == len(served["edges"]) - 1
    assert sum(lengths) == pytest.approx(served["distance"], abs=1e-3)
    assert number(page.locator("#path-sum").text_content()) == pytest.approx(served["distance"], abs=1e-4)


def test_a_path_is_drawn_and_the_address_holds_it(visit: Callable[..., Visit], address: str) -> None:
    source, target = neurons(address, 0)[3], neurons(address, 8)[5]
    page = visit(width=1400).open(f"{GRAPH}?neuron={source}&to={target}").page
    query = {"source": source, "target": target}
    served = httpx.get(f"{address}/v1/models/stdlib-14m/checkpoints/512/samples/0/path", params=query).json()
    drawing, ends = page.locator("svg.network"), {served["edges"][0]["source"]}
    ends |= {edge["target"] for edge in served["edges"][:5]}
    assert drawing.locator(".thread.on-path").count() == 5, "of eight edges five lead through block 0"
    names = [one.get_attribute("aria-label") for one in drawing.locator("a:has(.on-path)").all()]
    assert set(names) == ends
    assert drawing.locator(".path-label").all_text_contents() == ["1", "2", "3", "4", "5"]
    expect(page.get_by_label(re.compile("marked: 5 of 8 edges of the shortest path"))).to_be_visible()
    beside, picture = page.locator("#path").bounding_box(), drawing.bounding_box()
    assert beside and picture and picture["x"] + picture["width"] <= beside["x"]
    assert beside["y"] < picture["y"] + picture["height"]
    region = page.get_by_role("region", name="Terms of the path")
    assert region.evaluate("box => box.scrollWidth <= box.clientWidth"), "the sum is seen without scrolling"
    page.locator("[data-part=path] .note").get_by_role("link", name="1", exact=True).click()
    expect(page).to_have_url(re.compile(f"block=1.*to={target}|to={target}.*block=1"))
    expect(page.locator("svg.network .path-label")).to_have_text(["6", "7", "8"])
    page.get_by_role("link", name="No path").click()
    expect(page.locator("svg.network .on-path")).to_have_count(0)
    assert target not in page.url


def test_a_ball_grows_with_its_radius(visit: Callable[..., Visit], address: str) -> None:
    page = chosen(visit, f"neuron={neurons(address, 0)[3]}")
    expect(page.locator("#within")).to_contain_text("within 60")
    inside = page.locator(".spot:not(.outside)")
    whole = inside.count()
    page.locator("#radius").focus()
    page.keyboard.press("Home")
    expect(page.locator("#within")).to_contain_text("within 1.")
    assert inside.count() < whole
    page.get_by_role("button", name="Let it grow").click()
    expect(page.locator("#within")).to_contain_text("within 60", timeout=10_000)
    assert inside.count() == whole
    assert page.locator("#panel-course-nfd .point").count() == 4


def test_change_since_an_earlier_step_is_that_of_both_graphs(
    visit: Callable[..., Visit], address: str
) -> None:
    page = visit().open(GRAPH).page
    page.get_by_role("navigation", name="Change since").get_by_role("link", name="128", exact=True).click()
    expect(page).to_have_url(re.compile("since=128"))
    changes = [
        one
        for layer in (0, 2, 3, 4)
        for one in httpx.get(
            f"{address}/v1/models/stdlib-14m/change",
            params={"before": 128, "after": 512, "layer": layer, "top": 30},
        ).json()["largest"]
    ]
    largest = max(changes, key=lambda one: abs(one["change"]))
    first = page.locator("#changed-edges tbody tr").first
    expect(first).to_contain_text(f"{largest['source']}to {largest['target']}")
    assert number(first.locator("td").last.text_content()) == pytest.approx(largest["change"], abs=1e-3)
    assert page.locator("svg.network .thread").count() == len(changes)
    row = page.locator("#changed-neurons tbody tr").first
    name = row.locator("a").text_content()
    detail = httpx.get(f"{address}/v1/models/stdlib-14m/checkpoints/512/samples/0/neurons/{name}").json()
    assert number(row.locator("td").nth(1).text_content()) == pytest.approx(detail["strength_out"], abs=1e-3)
    expect(page.locator("[data-part=change]")).to_contain_text("neither can be compared")


def test_a_cover_is_coloured_and_counted(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(GRAPH).page
    page.get_by_role("navigation", name="Boxes").get_by_role("link", name="20", exact=True).click()
    served = httpx.get(
        f"{address}/v1/models/stdlib-14m/checkpoints/512/samples/0/boxes",
        params={"radius": 20, "last_layer": 5},
    ).json()
    expect(page.locator("[data-part=boxes] tr[aria-current] td")).to_have_text(str(served["n_boxes"]))
    assert page.locator(".spot.is-box-0").count() > 0


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{GRAPH}?block=77", "has no block 77"),
        (f"{GRAPH}?neuron=B99.mlp.00001", "B99.mlp.00001"),
        (f"{GRAPH}?seed=5", "no graph of seed 5"),
        (f"{GRAPH}?boxes=3", "boxes have one of the radii"),
        (f"{GRAPH}?since=512", "since=512 is not before"),
        (f"{GRAPH}?since=5", "no graph is stored of step 5"),
        ("/models/stdlib-14m/graph/7", "has no checkpoint at step 7"),
    ],
)
def test_what_is_not_there_is_said(visit: Callable[..., Visit], path: str, words: str) -> None:
    one = visit()
    one.open(path, wait_for="[role=alert]")
    expect(one.page.get_by_role("alert")).to_contain_text(words)
    one.said.clear()  # the browser itself writes down every 404


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1400)])
def test_axe_finds_nothing(visit: Callable[..., Visit], address: str, scheme: str, width: int) -> None:
    source = axe()
    page = visit(scheme=scheme, width=width).open(f"{GRAPH}?neuron={neurons(address, 0)[3]}").page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(source)
    assert [fault["id"] for fault in page.evaluate("axe.run(document)")["violations"]] == []
