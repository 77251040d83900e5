"""The first page: every series in a line, found, sorted, ticked, always up to date."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from neuromfa.graph import open_store
from neuromfa.plots import dimension_rows, metric_rows, spectrum_rows
from tests.e2e.conftest import Visit
from tests.e2e.test_series_page import SERIES, axe

pytestmark = pytest.mark.browser


def line(page: Page, id: str) -> Any:
    return page.locator(f'tr[data-series="{id}"]')


def test_every_series_has_a_line_with_its_answer(visit: Callable[..., Visit], address: str) -> None:
    page = visit(width=1400).open("/").page
    [*models] = httpx.get(f"{address}/v1/models").json()["items"]
    expect(page.locator("tr[data-series]")).to_have_count(len(models))
    verdict = httpx.get(f"{address}/v1/models/stdlib-14m/emergence").json()["verdict"]
    expect(line(page, "stdlib-14m").locator(".answer")).to_have_text(verdict["answer"].capitalize())
    expect(line(page, "stdlib-14m").locator("svg.spark")).to_have_count(2)
    expect(line(page, "org/alone")).to_contain_text("no nulls were measured")
    line(page, "stdlib-14m").get_by_role("link").first.click()
    expect(page).to_have_url(f"{address}/models/stdlib-14m")


def test_series_are_searched_and_sorted_in_the_address(visit: Callable[..., Visit]) -> None:
    page = visit().open("/").page
    page.get_by_label("Search").fill("alo")
    expect(page.locator("tr[data-series]")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=alo"))
    page.get_by_label("Search").fill("nothing")
    expect(page.locator("tbody")).to_contain_text("No series has “nothing”")
    page.get_by_label("Search").fill("")
    page.get_by_label("Sort by").select_option("steps")
    expect(page.locator("tr[data-series]").first).to_have_attribute("data-series", "stdlib-14m")
    expect(page).to_have_url(re.compile("sort=steps"))


def test_two_are_ticked_by_keyboard_and_compared(visit: Callable[..., Visit]) -> None:
    page = visit().open("/").page
    expect(page.locator("#compare-them")).to_be_disabled()
    for id in ("org/alone", "stdlib-14m"):
        page.get_by_label(f"Compare {id}").focus()
        page.keyboard.press("Space")
    expect(page.locator("#ticked")).to_have_text("2 ticked.")
    page.locator("#compare-them").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"compare\?models=org--alone&models=stdlib-14m"))


def test_a_series_that_arrives_appears_and_ticks_stay(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.clock.install()

    def earlier(route: Route) -> None:
        answer = route.fetch()
        body = re.sub(r'<tr [^>]*data-series="org/alone">.*?</tr>', "", answer.text(), flags=re.S)
        route.fulfill(response=answer, body=body)

    pattern = re.compile(r"//[^/]+/$")
    one.page.route(pattern, earlier)
    one.open("/")
    expect(one.page.locator("tr[data-series]")).to_have_count(1)
    one.page.get_by_label("Compare stdlib-14m").check()
    one.page.unroute(pattern)
    one.page.clock.run_for(11_000)
    expect(one.page.locator("tr[data-series]")).to_have_count(2)
    expect(one.page.get_by_label("Compare stdlib-14m")).to_be_checked()


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1400)])
def test_axe_finds_nothing(visit: Callable[..., Visit], scheme: str, width: int) -> None:
    source = axe()
    page = visit(scheme=scheme, width=width).open("/").page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(source)
    assert [fault["id"] for fault in page.evaluate("axe.run(document)")["violations"]] == []


def test_a_chosen_theme_is_kept(visit: Callable[..., Visit]) -> None:
    page = visit(scheme="dark").open("/").page
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Switch to the light theme").click()
    assert page.evaluate(ground) != dark
    page.reload()
    expect(page.get_by_role("button", name="Switch to the dark theme")).to_be_visible()
    assert page.evaluate(ground) != dark


# charts to take away


def test_vega_comes_only_when_a_chart_is_taken_away(visit: Callable[..., Visit]) -> None:
    one = visit().open(f"{SERIES}&step=512")
    assert not [url for url in one.asked if "vega" in url]
    one.page.locator("#exports summary").click()
    with one.page.expect_download() as svg:
        one.page.get_by_role("button", name="E as SVG").click()
    assert svg.value.suggested_filename == "stdlib-14m-emergence.svg"
    text = Path(svg.value.path()).read_text(encoding="utf-8")
    assert text.startswith("<svg")
    for words in ("stdlib-14m", "profile exact", "neuromfa 0."):
        assert words in text
    assert [url for url in one.asked if "vega" in url]


def test_page_and_library_draw_the_same_rows(visit: Callable[..., Visit], filled_dir: Path) -> None:
    page = visit().open(SERIES).page
    page.locator("#exports summary").click()
    with open_store(data_dir=filled_dir) as store:
        results = store.results("stdlib-14m", profile="exact")
    expected = {
        "Spectrum": spectrum_rows(results),
        "Width": metric_rows(results, "width"),
        "Node dimension": dimension_rows(results),
    }
    for title, rows in expected.items():
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"{title} as CSV").click()
        text = Path(saved.value.path()).read_text(encoding="utf-8")
        found = [
            {name: parsed(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))
        ]
        assert sorted(map(str, map(sorted_items, found))) == sorted(map(str, map(sorted_items, rows)))


def parsed(cell: str) -> float | str | None:
    """Return what a cell of a CSV file stands for."""
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def sorted_items(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted((name, float(value) if isinstance(value, int) else value) for name, value in row.items())


def test_the_reference_lists_every_route(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open("/docs", wait_for=".opblock").page
    paths = httpx.get(f"{address}/openapi.json").json()["paths"]
    operations = [method for methods in paths.values() for method in methods]
    expect(page.locator(".opblock")).to_have_count(len(operations))
