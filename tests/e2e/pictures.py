"""Takes the pictures of the pages that the documentation shows: ``python -m tests.e2e.pictures ADDRESS``."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import FLAGS
from tests.requirements import chromium

FOLDER = Path(__file__).parents[2] / "docs" / "images"
SERIES = "/models/stdlib-14m"
COMPARED = "/compare?models=stdlib-14m&models=stdlib-14m-decay1&models=stdlib-14m-shuffled"
GRAPH = f"{SERIES}/graph/2000?neuron=B00.input.00048"
PICTURES = {
    "page.png": (SERIES, "light", 1280, 900),
    "page-dark.png": (COMPARED, "dark", 1280, 900),
    "phone.png": (SERIES, "light", 380, 900),
    "graph.png": (GRAPH, "light", 760, 560),
}


def main(address: str) -> None:
    """Draw pages of a running service that holds the bundled series, in both themes and on a phone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name, (path, scheme, width, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(address + path)
            page.wait_for_selector("body[data-state=fresh]")
            page.screenshot(path=FOLDER / name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
