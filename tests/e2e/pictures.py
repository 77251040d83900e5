"""Takes the pictures of the page that the documentation shows: ``python -m tests.e2e.pictures ADDRESS``."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import FLAGS
from tests.requirements import chromium

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PAGE = "/?model=stdlib-14m&profile=exact&step=512"
PICTURES = {
    "page.png": ("light", 1280, 1640),
    "page-dark.png": ("dark", 1280, 1640),
    "phone.png": ("light", 380, 1500),
}


def main(address: str) -> None:
    """Draw the page of a running service that holds the bundled series, in both themes and on a phone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name, (scheme, width, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(address + PAGE)
            page.wait_for_selector(".card-tau svg.marks")
            page.wait_for_timeout(500)
            page.screenshot(path=FOLDER / name)
        page = browser.new_page(viewport={"width": 1280, "height": 1100})
        page.goto(address + PAGE)
        page.locator("#graph").scroll_into_view_if_needed()
        page.wait_for_selector("#graph svg.marks")
        page.locator("#graph [name=neuron]").select_option("B00.input.00048")
        page.wait_for_selector("#graph .neuron table")
        page.locator("#graph").screenshot(path=FOLDER / "graph.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
