"""The report in a browser: it stands alone, asks for nothing, and is fit for print."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.test_series_page import axe

pytestmark = pytest.mark.browser


def test_the_report_of_a_series_stands_alone(
    visit: Callable[..., Visit], address: str, tmp_path: Path
) -> None:
    one = visit()
    one.open("/models/stdlib-14m/report?profile=exact", wait_for="main")
    page = one.page
    assert len([url for url in one.asked if not url.endswith("favicon.ico")]) == 1
    expect(page.locator("h1")).to_have_text("stdlib-14m")
    ground = page.evaluate("getComputedStyle(document.querySelector('.verdict')).borderLeftWidth")
    assert ground == "5px"  # its own style sheet passes the policy
    figures = page.locator("figure").count()
    assert figures > 8 and page.locator("figure .origin").count() == figures
    expect(page.locator("figure .origin").first).to_contain_text(
        re.compile(r"options [0-9a-f]{12}, method \d+, neuromfa")
    )
    source = axe()
    page.evaluate("() => 0")
    content = page.content()
    copy = tmp_path / "report.html"
    copy.write_text(content, encoding="utf-8")
    page.goto(copy.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.evaluate(source)
    assert [fault["id"] for fault in page.evaluate("axe.run(document)")["violations"]] == []
