"""Every page before a service that hangs, fails and comes back; by keyboard alone, in print, with little motion."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.serving import served

pytestmark = pytest.mark.browser

PAGES = {
    "/": "[data-series='stdlib-14m']",
    "/models/stdlib-14m": "#verdict",
    "/compare?models=stdlib-14m&models=org--alone": "#answer",
    "/models/stdlib-14m/graph/512?since=128&block=1": "#changed-edges",
    "/jobs": "[data-part=jobs]",
}
ROUND_MS = 11_000


def every_page(visit: Callable[..., Visit], address: str) -> dict[str, Visit]:
    visits = {}
    for path in PAGES:
        visits[path] = visit(at=address)
        visits[path].page.clock.install()
        visits[path].open(path)
    return visits


def told(page: Page, words: str, *, after_ms: int = ROUND_MS) -> None:
    page.clock.run_for(after_ms)
    expect(page.locator("#freshness")).to_contain_text(words)


def recovered(page: Page) -> None:
    expect(page.locator("#freshness")).to_be_hidden()
    assert page.evaluate("document.body.dataset.state") == "fresh"


def test_pages_tell_a_service_that_hangs_or_goes_away_and_recover_without_a_reload(
    visit: Callable[..., Visit], filled_dir: Path, tmp_path: Path
) -> None:
    with served(filled_dir, tmp_path) as (process, address):
        visits = every_page(visit, address)
        for one in visits.values():
            one.page.evaluate("window.mine = true")
        hung(process, visits)
    for path, one in visits.items():
        told(one.page, "The service does not answer. These numbers are ")
        expect(one.page.locator(PAGES[path])).to_be_visible()
    with served(filled_dir, tmp_path, NEUROMFA_PORT=str(urlsplit(address).port)):
        for one in visits.values():
            one.page.clock.run_for(ROUND_MS)
            recovered(one.page)
            assert one.page.evaluate("window.mine") is True
    for one in visits.values():
        one.page.context.close()
        one.said.clear()  # the browser itself writes down what did not answer


def hung(process: subprocess.Popen[str], visits: dict[str, Visit]) -> None:
    """Stop the service without ending it: connections open, and no answer comes."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        for path, one in visits.items():
            one.page.clock.run_for(ROUND_MS)
            told(one.page, "The service has not answered yet. These numbers are ", after_ms=5_000)
            expect(one.page.locator(PAGES[path])).to_be_visible()
    finally:
        os.kill(process.pid, signal.SIGCONT)
    for one in visits.values():
        recovered(one.page)


@pytest.mark.parametrize(
    "path", ["/models/stdlib-14m/graph/512?since=128&block=1", "/models/stdlib-14m?tab=layers"]
)
def test_a_service_that_fails_for_a_while_is_said_and_what_was_shown_stays(
    visit: Callable[..., Visit], path: str
) -> None:
    one = visit()
    one.page.clock.install()
    one.open(path)
    shown = one.page.locator("main").inner_text()
    failing = "<main><section class=notice><p>The store does not answer.</p></section></main>"
    one.page.route(
        "**/models/**", lambda route: route.fulfill(status=503, body=failing, content_type="text/html")
    )
    told(one.page, "The store does not answer. These numbers are ")
    assert shown in one.page.locator("main").inner_text()
    one.page.unroute("**/models/**")
    one.page.clock.run_for(ROUND_MS)
    recovered(one.page)
    assert one.page.locator("main").inner_text() == shown
    one.said.clear()  # the browser itself writes down every 503


def test_back_and_forward_walk_what_was_chosen_of_a_graph(visit: Callable[..., Visit]) -> None:
    page = visit().open("/models/stdlib-14m/graph/512").page
    page.get_by_role("navigation", name="Change since").get_by_role("link", name="128", exact=True).click()
    page.get_by_role("navigation", name="Blocks").get_by_role("link", name="1", exact=True).click()
    expect(page.locator("[data-part=drawing]")).to_have_accessible_name("Block 1")
    page.go_back()
    expect(page.locator("[data-part=drawing]")).to_have_accessible_name("Block 0")
    expect(page.locator("[data-part=change] h2")).to_have_text("Change since step 128")
    page.go_back()
    expect(page.locator("[data-part=change]")).to_have_count(0)
    page.go_forward()
    expect(page.locator("[data-part=change] h2")).to_have_text("Change since step 128")


def test_a_neuron_is_chosen_and_its_ball_moved_by_keyboard_alone(visit: Callable[..., Visit]) -> None:
    page = visit().open("/models/stdlib-14m/graph/512?block=1").page
    page.get_by_label("Neuron", exact=True).focus()
    page.keyboard.type(page.locator("[data-part=hubs] tbody a").first.inner_text())
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=neuron] h2")).to_be_visible()
    assert "block=1" in page.url
    tab_to(page, "Drawing")  # a region that scrolls can be reached
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    expect(page.locator("#within")).to_contain_text("within 1.")
    assert "Block 1" in page.locator("[data-part=drawing]").aria_snapshot()


def test_series_are_compared_by_keyboard_alone(visit: Callable[..., Visit]) -> None:
    page = visit().open("/").page
    for name in ("Compare stdlib-14m", "Compare org/alone"):
        tab_to(page, name)
        page.keyboard.press("Space")
    tab_to(page, "Compare the ticked", back=True)
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_be_visible()


def tab_to(page: Page, name: str, *, back: bool = False) -> None:
    """Press Tab until what has this name has the focus, as a person without a mouse would."""
    focused = "document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
    for _ in range(40):
        if page.evaluate(focused) == name:
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"Tab never comes to {name}")


def test_little_motion_and_print_are_heeded(visit: Callable[..., Visit]) -> None:
    page = visit().open("/models/stdlib-14m/graph/512").page
    page.locator("[data-part=hubs] tbody a").first.click()
    page.emulate_media(reduced_motion="reduce")
    page.locator("#radius").fill("1")
    page.locator("#grow").click()
    assert "within 60" in (page.locator("#within").text_content() or "")  # at once
    page.goto(page.url.split("/graph")[0])
    page.wait_for_selector("body[data-state=fresh]")
    page.emulate_media(media="print")
    for hidden in (".top", ".stepper", ".tabs", "#panel-effect .csv"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("#verdict")).to_be_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
