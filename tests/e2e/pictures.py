"""Takes the pictures of the pages that the documentation shows: ``python -m tests.e2e.pictures ADDRESS``."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import FLAGS
from tests.requirements import chromium

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SERIES = "/models/stdlib-14m"
COMPARED = "/compare?models=stdlib-14m&models=stdlib-14m-decay1&models=stdlib-14m-shuffled"
GRAPH = f"{SERIES}/graph/2000"
PICTURES = {
    "page.png": (SERIES, "light", 1280, 900, None),
    "page-dark.png": (COMPARED, "dark", 1280, 900, None),
    "phone.png": (SERIES, "light", 380, 900, None),
    "graph.png": (f"{GRAPH}?neuron=B00.input.00048", "light", 1280, 860, None),
    "path.png": (f"{GRAPH}?neuron=B00.input.00051&to=B01.dense.00106", "light", 1280, 900, ".graph-pair"),
    "change.png": (f"{GRAPH}?since=128&block=1", "dark", 1280, 900, None),
    "layers.png": (SERIES, "light", 1280, 1200, "#tab"),
}
"""Of each picture: the address, the theme, the size of the window, and the part shown, None for the first screen."""


def main(address: str) -> None:
    """Draw pages of a running service that holds the bundled series, in both themes and on a phone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name, (path, scheme, width, height, part) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(address + path)
            page.wait_for_selector("body[data-state=fresh]")
            page.evaluate("document.getElementById('stepper')?.style.setProperty('position', 'static')")
            (page.locator(part) if part else page).screenshot(path=FOLDER / name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
