"""The pictures of docs/explore.md, taken by a real Chromium at a running ``neuromfa browser``.

::

    make neo4j                                              # in one terminal, prints ADDRESS
    python -m app.browsing.screenshots ADDRESS              # in another, writes docs/images/explore-*.png
"""

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.browsing.visitor import enter, run, turn_to, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SETTLE_MS = 5_000
FOLDER = Path(__file__).parents[2] / "docs" / "images"


@dataclass(frozen=True)
class Picture:
    """One picture: what a query of a page of the guide gives.

    Attributes
    ----------
    name : of the file
    title : beginning of the page's heading; None is what stands there at the start
    number : which query of that page
    legend : leave the panel with the colours open
    """

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


def take(page: "Page", picture: Picture, folder: Path) -> Path:
    """Run what a picture shows and write it."""
    if picture.title is not None:
        turn_to(page, picture.title)
        run(page, picture.number)
    frame = page.get_by_test_id("frame").first
    page.wait_for_timeout(SETTLE_MS)
    if not picture.legend:
        _clear(page, frame)
    path = folder / f"{picture.name}.png"
    page.screenshot(path=path)
    return path


def _clear(page: "Page", frame: "Locator") -> None:
    """Close the panel beside a drawing, which later drawings keep closed, and fit the drawing to its place."""
    close = frame.get_by_label("Collapse the node properties display")
    if close.is_visible():
        close.click()
    frame.get_by_label("zoom-to-fit").click()
    page.wait_for_timeout(SETTLE_MS / 5)


def main(arguments: list[str] | None = None) -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description="screenshots of the Neo4j Browser for docs/explore.md")
    parser.add_argument("address", help="what `neuromfa browser` printed")
    parser.add_argument("--chromium", type=Path, default=Path(shutil.which("chromium") or "chromium"))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with visiting(chosen.chromium) as page:
        enter(page, chosen.address)
        for picture in PICTURES:
            take(page, picture, chosen.folder)


if __name__ == "__main__":
    main()
