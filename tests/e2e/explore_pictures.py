"""Takes the pictures of docs/explore.md at a running `neuromfa browser`.

``python -m tests.e2e.explore_pictures ADDRESS``, where ADDRESS is what `make neo4j` printed.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from tests.e2e.conftest import FLAGS
from tests.e2e.exploring import enter, newest, run, turn_to
from tests.requirements import chromium

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SETTLE_MS = 5_000  # the drawing is a simulation of springs that comes to rest


@dataclass(frozen=True)
class Picture:
    """What a query of a page of the guide gives; no title is what stands there at the start."""

    name: str
    title: str | None = None
    number: int = 0
    legend: bool = True


PICTURES = (
    Picture("explore-start"),
    Picture("explore-emergence", "Minute 1"),
    Picture("explore-edges", "Minute 4", number=1),
    Picture("explore-paths", "Minute 5", legend=False),
    Picture("explore-neighbourhood", "Minute 6", legend=False),
    Picture("explore-change", "Minute 7"),
)


def take(page: Page, picture: Picture) -> None:
    """Run what a picture shows and write it."""
    if picture.title is not None:
        turn_to(page, picture.title)
        run(page, picture.number)
    page.wait_for_timeout(SETTLE_MS)
    if not picture.legend:
        clear(page, newest(page))
    page.screenshot(path=FOLDER / f"{picture.name}.png")


def clear(page: Page, frame: Locator) -> None:
    """Close the panel beside a drawing, which later drawings keep closed, and fit the drawing to its place."""
    close = frame.get_by_label("Collapse the node properties display")
    if close.is_visible():
        close.click()
    frame.get_by_label("zoom-to-fit").click()
    frame.evaluate("one => { for (let at = one; at; at = at.parentElement) at.scrollTop = 0 }")
    page.wait_for_timeout(SETTLE_MS / 5)


def main(address: str) -> None:
    """Take all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 860})
        enter(page, address)
        for picture in PICTURES:
            take(page, picture)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
