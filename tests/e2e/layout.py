"""What is wrong in the looks of a page, told by scripts in it: layout.js, and axe."""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
THUMB = 24
AXE = "axe.run(document).then(({ violations }) => violations.map((one) => `axe: ${one.id}, ${one.nodes[0].target}`))"
USED = """Math.max(0, ...[...document.querySelectorAll("main .card, main .verdict, main .notice")]
  .map((one) => one.getBoundingClientRect().right)) / innerWidth"""


def faults(page: Page, *, thumb: bool = False) -> list[str]:
    """Return what is wrong in the looks of a page, a line each; `thumb`: also what is too small for one."""
    found: list[str] = page.evaluate(SCRIPT, THUMB if thumb else 0)
    return found


def axe_faults(page: Page, source: str) -> list[str]:
    """Return what axe finds, whose text is `source`."""
    page.evaluate(source)
    found: list[str] = page.evaluate(AXE)
    return found


def used_width(page: Page) -> float:
    """Return the share of the window up to the right edge of the last card."""
    used: float = page.evaluate(USED)
    return used
