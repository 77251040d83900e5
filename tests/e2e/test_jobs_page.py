"""The page of jobs: started, watched, cancelled and retried by the routes of /v1/jobs, with their own words."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.test_series_page import ROOT, axe
from tests.serving import served

pytestmark = pytest.mark.browser
SERIES = ROOT / "series" / "stdlib-14m"


def test_a_job_is_started_cancelled_and_retried(visit: Callable[..., Visit], tmp_path: Path) -> None:
    with served(tmp_path / "store", tmp_path, NEUROMFA_SOURCES=str(SERIES)) as (_, address):
        one = visit(at=address).open("/jobs")
        page = one.page
        expect(page.locator("[data-part=jobs]")).to_contain_text("There are no jobs yet")
        page.locator("#new summary").click()
        page.get_by_label("Source").fill("/etc")
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#said")).to_contain_text("the folder /etc is not among those that may be read")
        page.get_by_label("Source").fill(str(SERIES))
        page.get_by_label("Steps").fill("0,512")
        page.get_by_label("Neurons a layer").fill("16")
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#said")).to_contain_text("is queued")
        [job] = httpx.get(f"{address}/v1/jobs").json()["items"]
        assert (job["request"]["steps"], job["request"]["options"]["nodes"]) == ("0,512", 16)
        row = page.locator(f'[data-job="{job["id"]}"]')
        expect(row).to_contain_text("queued")
        row.get_by_role("button", name="Cancel").click()
        expect(row).to_contain_text("cancelled")
        row.get_by_role("button", name="Retry").click()
        expect(row).to_contain_text("queued")
        expect(page).to_have_title("Jobs – NeuroMFA")
        page.goto(f"{address}/")
        expect(page.locator("[data-part=waiting]")).to_contain_text(
            "1 job for series that are not stored yet"
        )
        page.goto(f"{address}/jobs?status=failed")
        expect(page.locator("[data-part=jobs]")).to_contain_text("No job is failed.")
        one.said.clear()  # the browser itself writes down every 422


def test_where_writes_need_a_key_the_page_asks_for_it(
    visit: Callable[..., Visit], filled_dir: Path, tmp_path: Path
) -> None:
    key = "a-key-of-some-length"
    with served(filled_dir, tmp_path, NEUROMFA_API_KEY=key, NEUROMFA_SOURCES=str(SERIES)) as (_, address):
        one = visit(at=address).open("/jobs")
        page = one.page
        start(page)
        page.locator("#key").fill(key)
        page.get_by_role("button", name="Open").click()
        expect(page).to_have_url(re.compile("/jobs$"))
        start(page)
        expect(page.locator("#said")).to_contain_text("is queued")
        one.said.clear()  # the browser itself writes down every 401


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1400)])
def test_axe_finds_nothing(visit: Callable[..., Visit], scheme: str, width: int) -> None:
    source = axe()
    page = visit(scheme=scheme, width=width).open("/jobs").page
    page.locator("#new summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(source)
    assert [fault["id"] for fault in page.evaluate("axe.run(document)")["violations"]] == []


def start(page: Page) -> None:
    page.locator("#new summary").click()
    page.get_by_label("Source").fill(str(SERIES))
    page.get_by_role("button", name="Start", exact=True).click()
