"""Several series side by side: answered in words, drawn on one axis, each with its own nulls, warned about."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.test_series_page import axe

pytestmark = pytest.mark.browser

PATH = "/compare?models=stdlib-14m&models=org--alone"


def test_the_answer_stands_first_in_words(visit: Callable[..., Visit], address: str) -> None:
    page = visit(width=1400).open(PATH).page
    found = httpx.get(f"{address}/v1/compare?model=stdlib-14m&model=org/alone").json()
    expect(page.locator("#answer")).to_have_text(found["sentence"])
    expect(page.locator("#learned")).to_contain_text(
        "The amount of structure does not tell which of these learned"
    )
    expect(page).to_have_title("stdlib-14m, org/alone – NeuroMFA")
    shown = page.locator("#panel-g2, #panel-emergence-stdlib-14m")
    assert shown.count() == 2
    for warning in found["warnings"]:
        expect(page.get_by_role("region", name="Warnings")).to_contain_text(warning)


def test_all_series_stand_on_one_axis_and_each_beside_its_nulls(visit: Callable[..., Visit]) -> None:
    page = visit().open(PATH).page
    assert page.locator("#panel-g2 .curve.is-run-0").count() == 1
    expect(page.get_by_role("img", name=re.compile("E of stdlib-14m: real from 0"))).to_be_visible()
    assert (
        page.get_by_role("img", name=re.compile("E of stdlib-14m")).locator(".curve.is-shuffled").count() == 1
    )


def test_every_chart_and_the_comparison_are_tables_too(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(PATH).page
    found = httpx.get(f"{address}/v1/compare?model=stdlib-14m&model=org/alone").json()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Structure beyond scale, g² as CSV").click()
    rows = rows_of(Path(saved.value.path()).read_text(encoding="utf-8"))
    curve = found["series"][0]["curve"]
    own = [row for row in rows if row["line"] == "stdlib-14m"]
    assert [float(row["value"]) for row in own] == [one["values"]["g2"]["value"] for one in curve]
    whole = rows_of(httpx.get(f"{address}{PATH}&csv=curves").text)
    assert [row["step"] for row in whole if row["series"] == "stdlib-14m"] == [
        f"{one['step']}" for one in curve
    ]
    refused = httpx.get(f"{address}{PATH}&csv=nothing")
    assert refused.status_code == 404 and "there are: g2" in refused.text


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_what_is_not_stored_is_said_and_waited_for(visit: Callable[..., Visit]) -> None:
    page = visit().open("/compare?models=stdlib-14m,nobody").page
    expect(page.locator("main")).to_contain_text("Not in the store, or without numbers so far: nobody.")
    expect(page.locator("main")).to_contain_text("this page fills in by itself")
    assert page.locator("#panel-g2").count() == 0


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/compare?models=stdlib-14m,stdlib-14m", "compared with itself"),
        ("/compare?models=stdlib-14m,org--alone&group=x:nobody", "which is not compared"),
        (
            "/compare?models=stdlib-14m,org--alone&by=tokens",
            "no checkpoint of stdlib-14m tells how many tokens",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(visit: Callable[..., Visit], path: str, words: str) -> None:
    one = visit()
    one.open(path, wait_for="[role=alert]")
    expect(one.page.get_by_role("alert")).to_contain_text(words)
    one.said.clear()  # the browser itself writes down every 422


def test_axis_and_series_are_chosen_by_links_and_boxes(visit: Callable[..., Visit]) -> None:
    page = visit().open("/compare?models=stdlib-14m").page
    expect(page.get_by_label("stdlib-14m")).to_be_checked()
    page.get_by_label("org/alone").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("link", name="share").click()
    expect(page).to_have_url(re.compile("by=share"))
    expect(page.locator("#panel-g2")).to_contain_text("100 %")


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1400)])
def test_axe_finds_nothing(visit: Callable[..., Visit], scheme: str, width: int) -> None:
    source = axe()
    page = visit(scheme=scheme, width=width).open(PATH).page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(source)
    assert [fault["id"] for fault in page.evaluate("axe.run(document)")["violations"]] == []
