"""A person at the Neo4j Browser, played by a real Chromium: opens the address, turns the guide's pages, runs queries.

Used by the screenshots of docs/explore.md and by the tests; needs playwright, which is no part of the base install.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

READY_MS = 60_000


@contextmanager
def visiting(chromium: Path, *, width: int = 1400, height: int = 860) -> Iterator["Page"]:
    """Open a page of Chromium for the duration of a block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        try:
            yield browser.new_page(viewport={"width": width, "height": height})
        finally:
            browser.close()


def enter(page: "Page", address: str) -> None:
    """Open the printed address and wait until the guide and the first drawing are there."""
    page.goto(address)
    page.locator(".runnable").first.wait_for(timeout=READY_MS)
    page.locator("[data-testid=frame] svg .node").first.wait_for(timeout=READY_MS)


def turn_to(page: "Page", title: str) -> None:
    """Turn the guide's pages until the one with this heading."""
    for _ in range(20):
        if page.locator("h3", has_text=re.compile(re.escape(title))).first.is_visible():
            return
        page.get_by_test_id("guideNextSlide").click()
    raise ValueError(f"the guide has no page {title!r}")


def run(page: "Page", number: int = 0) -> None:
    """Click a query of the open page of the guide and run it; the newest frame shows what it gives."""
    page.locator(".runnable:visible").nth(number).click()
    page.get_by_test_id("editor-Run").click()
    page.locator("[data-testid=frame]").first.locator("[data-testid=frame-loaded-contents]").wait_for(
        timeout=READY_MS
    )
