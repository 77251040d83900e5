"""A person at the Neo4j Browser: opens the printed address, turns the pages of the guide, runs its queries."""

from playwright.sync_api import Locator, Page, expect

READY_MS = 60_000
MOST_PAGES = 20


def enter(page: Page, address: str) -> None:
    """Open the address and wait until the guide and the first drawing are there."""
    page.goto(address)
    page.locator(".runnable").first.wait_for(timeout=READY_MS)
    newest(page).locator("svg .node").first.wait_for(timeout=READY_MS)


def turn_to(page: Page, title: str) -> None:
    """Turn the pages of the guide until the one whose heading has these words."""
    for _ in range(MOST_PAGES):
        if page.locator("h3", has_text=title).first.is_visible():
            return
        page.get_by_test_id("guideNextSlide").click()
    raise ValueError(f"the guide has no page {title!r}")


def run(page: Page, number: int = 0) -> Locator:
    """Click a query of the open page of the guide, run it, and return the frame that shows what it gives."""
    before = page.get_by_test_id("frame").count()
    page.locator(".runnable:visible").nth(number).click()
    page.get_by_test_id("editor-Run").click()
    expect(page.get_by_test_id("frame")).to_have_count(before + 1, timeout=READY_MS)
    newest(page).get_by_test_id("frame-loaded-contents").wait_for(timeout=READY_MS)
    return newest(page)


def newest(page: Page) -> Locator:
    """Return the frame of the newest result."""
    return page.get_by_test_id("frame").first
