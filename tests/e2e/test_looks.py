"""Every page and tab on a phone, a desk and a wall: nothing cut, over other words, empty, or too small for a thumb."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.layout import axe_faults, faults, used_width
from tests.e2e.test_series_page import axe

pytestmark = pytest.mark.browser

MAIN, GRAPH = "/models/stdlib-14m", "/models/stdlib-14m/graph/512"
TABS = [f"{MAIN}?tab={one}" for one in ("neurons", "matrices", "benchmarks", "numbers", "provenance")]
PAGES = [
    *(
        "/",
        "/?q=nobody",
        "/compare",
        "/compare?models=stdlib-14m&models=org--alone",
        "/jobs",
        f"{MAIN}/report",
    ),
    *(MAIN, *TABS),
    *(f"{GRAPH}?boxes=10", f"{GRAPH}?since=128&block=1"),
]
PHONE, DESK, WALL = 360, 1400, 2560
FULL = 0.9


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_or_laid_over_other_words(visit: Callable[..., Visit], path: str) -> None:
    page = visit(width=PHONE).open(path, wait_for="main").page
    assert faults(page, thumb=True) == []
    page.set_viewport_size({"width": DESK, "height": 900})
    assert faults(page) == []
    page.set_viewport_size({"width": WALL, "height": 1440})
    assert faults(page) == []
    assert used_width(page) > FULL or path.endswith("/report")


@pytest.mark.parametrize("path", TABS)
def test_axe_finds_nothing_in_any_tab(visit: Callable[..., Visit], path: str) -> None:
    source = axe()
    assert axe_faults(visit(width=DESK, scheme="dark").open(path).page, source) == []


def test_a_tap_beside_a_neuron_chooses_the_nearest(visit: Callable[..., Visit]) -> None:
    page = visit(width=PHONE).open(GRAPH).page
    spot = page.locator("svg.network .spot").first
    box = spot.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] + 4, box["y"] - 3)
    expect(page.locator("[data-part=neuron] h2")).to_be_visible()
    assert page.locator("svg.network .chosen-one").count() == 1


def test_what_is_wrong_in_a_page_is_found(visit: Callable[..., Visit]) -> None:
    page = visit(width=PHONE).open(MAIN).page
    page.evaluate("""() => {
      const [first, second] = document.querySelectorAll("#panel-effect .tick");
      second.setAttribute("x", first.getAttribute("x"));
      second.setAttribute("y", first.getAttribute("y"));
      document.querySelector("#panel-alpha0 svg").innerHTML = "";
      document.querySelector("h1").style.minWidth = "400px";
      document.getElementById("play").style.cssText = "padding: 0; font-size: 9px; height: 12px";
    }""")
    found = " ".join(faults(page, thumb=True))
    for words in ("lies over", "nothing is drawn", "scrolls sideways", "too small for a thumb"):
        assert words in found
