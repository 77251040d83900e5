"""The page as a person meets it: drawn, scrubbed, exported, on a phone, in the dark, when things fail."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from neuromfa.graph import open_store
from neuromfa.plots import dimension_rows, metric_rows, radar_rows, spectrum_rows
from tests.e2e.conftest import Visit
from tests.requirements import missing
from tests.serving import served

pytestmark = pytest.mark.browser

SERIES = "/?model=stdlib-14m&profile=exact&step=512"
ROOT = Path(__file__).parents[2]
WHITE = "rgb(255, 255, 255)"
CARDS = ["spectrum", "emergence", "alpha0", "width", "tau", "nfd", "radar"]


def marks(page: Page, card: str, layer: str) -> Any:
    return page.locator(f".card-{card} svg .{layer}_marks path")


def shown_path(page: Page, card: str = "spectrum") -> str | None:
    return marks(page, card, "highlight").first.get_attribute("d")  # type: ignore[no-any-return]


def settled(page: Page) -> None:
    for card in CARDS:
        page.wait_for_selector(f".card-{card} svg.marks")


def test_every_step_is_drawn(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(SERIES).page
    settled(page)
    steps = [
        item["step"] for item in httpx.get(f"{address}/v1/models/stdlib-14m/checkpoints").json()["items"]
    ]
    assert marks(page, "spectrum", "steps").count() == len(steps)
    assert marks(page, "tau", "steps").count() == len(steps)
    for card in ("emergence", "alpha0", "width"):
        assert marks(page, card, "points").count() == len(steps) * 4
        assert marks(page, card, "curves").count() == 4
        assert marks(page, card, "band").count() == 4
    expect(page.locator("#table tbody tr")).to_have_count(len(steps))


def test_dimensions_and_benchmarks_are_drawn_for_every_step(
    visit: Callable[..., Visit], address: str
) -> None:
    page = visit().open(SERIES).page
    settled(page)
    [*items] = httpx.get(f"{address}/v1/models/stdlib-14m/emergence?profile=exact").json()["items"]
    kinds = {spread["row"] for item in items for spread in item["dimensions"]}
    assert kinds == {"input", "attention", "dense", "mlp"}
    assert marks(page, "nfd", "boxes").count() == len(items) * len(kinds)
    assert marks(page, "nfd", "highlight").count() == len(kinds)
    assert marks(page, "radar", "polygons").count() == len(items)
    assert marks(page, "radar", "points").count() == len(items) * 8
    before = {card: shown_path(page, card) or "" for card in ("nfd", "radar")}
    page.locator("#scrub").focus()
    page.keyboard.press("End")
    for card, path in before.items():
        expect(marks(page, card, "highlight").first).not_to_have_attribute("d", path)


def test_correlations_stand_beside_those_of_the_nulls(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(SERIES).page
    rows = page.locator("#correlations tbody tr")
    expect(rows).to_have_count(5)
    expect(page.locator("#correlations thead")).to_contain_text("E shuffled")
    items = httpx.get(f"{address}/v1/models/stdlib-14m/correlations?profile=exact").json()["items"]
    [shown] = [
        item
        for item in items
        if (item["measure"], item["model"], item["metric"]) == ("emergence", "real", "loss")
    ]
    expect(rows.filter(has_text="next_byte loss")).to_contain_text(
        f"{shown['spearman']:.2f}".replace("-", "−")
    )
    page.locator("#model").select_option("org/alone")
    expect(page.locator("#correlations")).to_contain_text("neuromfa scores org/alone scores.csv")
    expect(page.locator(".card-radar")).to_be_hidden()


# the sampled graph


def opened_graph(page: Page) -> None:
    page.locator("#graph").scroll_into_view_if_needed()
    page.wait_for_selector("#graph svg.marks")


def test_a_graph_is_asked_for_when_it_is_seen(visit: Callable[..., Visit]) -> None:
    one = visit().open(SERIES)
    settled(one.page)
    assert not [url for url in one.asked if "/samples" in url]
    opened_graph(one.page)
    assert [url for url in one.asked if "/samples/0/graph?layers=0-5&top=30" in url]


def test_the_graph_drawn_is_the_one_served(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(SERIES).page
    opened_graph(page)
    link = page.get_by_role("link", name="Graph as json").get_attribute("href") or ""
    drawing = httpx.get(address + link).json()
    weighted = [edge for edge in drawing["edges"] if edge["weight"] is not None]
    graph = page.locator("#graph svg")
    assert graph.locator(".edges_marks line").count() == len(weighted)
    assert graph.locator(".wiring_marks line").count() == len(drawing["edges"]) - len(weighted)
    measured = [neuron for neuron in drawing["neurons"] if neuron["nfd"] is not None]
    assert graph.locator(".neurons_marks path").count() == len(measured)
    assert graph.locator(".unmeasured_marks path").count() == len(drawing["neurons"]) - len(measured)
    for form, beginning in (("graphml", "<?xml"), ("gexf", "<?xml")):
        file = page.get_by_role("link", name=f"Graph as {form}").get_attribute("href") or ""
        assert httpx.get(address + file).text.startswith(beginning)


def test_a_neuron_is_followed_over_training(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(SERIES).page
    opened_graph(page)
    chooser = page.locator("#graph [name=neuron]")
    name = chooser.locator("option").nth(5).get_attribute("value") or ""
    chooser.select_option(name)
    panel = page.locator("#graph .neuron")
    expect(panel.locator("h3")).to_have_text(name)
    path = httpx.get(f"{address}/v1/models/stdlib-14m/trajectory?neuron={name}").json()["points"]
    expect(panel.locator("tbody tr")).to_have_count(len(path))
    expect(panel.locator("tbody tr[aria-current] th")).to_have_text("512")
    expect(panel.locator("tbody tr").first).to_contain_text(f"{path[0]['nfd']:.3f}")
    neighbour = panel.locator(".edges button").first
    following = neighbour.text_content() or ""
    neighbour.focus()
    page.keyboard.press("Enter")
    expect(panel.locator("h3")).to_have_text(following)
    page.locator("#graph svg .neurons_marks path").first.click(force=True)
    expect(panel.locator("h3")).not_to_have_text(following)


def test_another_part_and_another_step_are_drawn(visit: Callable[..., Visit]) -> None:
    one = visit().open(SERIES)
    opened_graph(one.page)
    with one.page.expect_response("**/samples/0/graph?layers=5-10&top=10"):
        with one.page.expect_response("**/samples/0/graph?layers=0-5&top=10"):
            one.page.locator("#graph [name=top]").select_option("10")
        one.page.locator("#graph [name=part]").select_option("5-10")
    with one.page.expect_response("**/checkpoints/2000/samples/0/graph?layers=5-10&top=10"):
        one.page.locator("#next").click()
    with one.page.expect_download() as saved:
        one.page.get_by_role("button", name="Graph as SVG").click()
    assert saved.value.suggested_filename == "stdlib-14m-graph.svg"


def test_a_step_without_a_graph_says_how_to_get_one(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.route("**/samples?*", lambda route: route.fulfill(json={"items": [], "next": None}))
    one.open(SERIES)
    one.page.locator("#graph").scroll_into_view_if_needed()
    expect(one.page.locator("#graph")).to_contain_text("No graph is stored of step 512")
    expect(one.page.locator("#graph")).to_contain_text("--graph-samples")


def test_the_numbers_shown_are_those_served(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(SERIES).page
    served_now = httpx.get(f"{address}/v1/models/stdlib-14m/checkpoints/512/metrics?profile=exact").json()
    readout = page.locator("#readout")
    expect(readout).to_contain_text("Step 512")
    for name in ("alpha0", "width", "emergence"):
        expect(readout).to_contain_text(f"{served_now[name]['value']:.3f}".replace("-", "−"))
    nodes = served_now["coverage"]["nodes"]
    expect(readout).to_contain_text(f"{nodes['kept']:,} of {nodes['total']:,}")
    for null in ("Shuffled", "Gaussian", "Rescaled"):
        expect(readout.locator(".compare")).to_contain_text(null)
    row = page.locator("#table tbody tr[aria-current]")
    expect(row).to_contain_text("512")
    assert row.locator(".chip").count() == len(served_now["flags"])


def test_the_verdict_of_the_series_is_read_before_the_numbers(
    visit: Callable[..., Visit], address: str
) -> None:
    page = visit().open(SERIES).page
    listing = httpx.get(f"{address}/v1/models/stdlib-14m/emergence?profile=exact").json()
    sentence = listing["verdict"]["sentence"]
    expect(page.locator("#verdict")).to_have_text(sentence)


def test_limits_are_said_plainly(visit: Callable[..., Visit]) -> None:
    text = visit().open(SERIES).page.locator("main").inner_text()
    for words in (
        "not comparable between models",
        "nulls",
        "Biases, norms, embeddings",
        "mixes growth, distribution and arrangement",
        "does not separate learning of language",
    ):
        assert words in text


def test_scrubbing_by_keyboard_moves_every_chart(visit: Callable[..., Visit]) -> None:
    page = visit().open(SERIES).page
    settled(page)
    before = {card: shown_path(page, card) for card in ("spectrum", "tau")}
    page.locator("#scrub").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#step-name")).to_have_text("2000")
    expect(page.locator("#readout h2")).to_have_text("Step 2000")
    expect(page.locator("#scrub")).to_have_attribute("aria-valuetext", "step 2000")
    expect(marks(page, "spectrum", "highlight").first).not_to_have_attribute("d", before["spectrum"] or "")
    expect(marks(page, "tau", "highlight").first).not_to_have_attribute("d", before["tau"] or "")
    assert "step=2000" in page.url
    page.keyboard.press("Home")
    expect(page.locator("#step-name")).to_have_text("0")
    expect(page.locator("#previous")).to_be_disabled()


def test_a_step_is_picked_in_the_table_and_in_a_chart(visit: Callable[..., Visit]) -> None:
    page = visit().open(SERIES).page
    settled(page)
    page.get_by_role("button", name="128", exact=True).click()
    expect(page.locator("#step-name")).to_have_text("128")
    page.locator(".card-emergence .points_marks path[aria-label*='step: 2000']").first.click(force=True)
    expect(page.locator("#step-name")).to_have_text("2000")


def test_play_runs_to_the_end_and_stops(visit: Callable[..., Visit]) -> None:
    page = visit().open(SERIES.replace("512", "2000")).page
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#step-name")).to_have_text("0")
    expect(page.locator("#step-name")).to_have_text("2000", timeout=8_000)
    expect(page.locator("#play")).to_have_text("Play")


def test_an_address_brings_back_what_was_shown(visit: Callable[..., Visit]) -> None:
    first = visit().open("/?model=stdlib-14m&profile=paper&step=0").page
    expect(first.locator("#step-name")).to_have_text("0")
    expect(first.locator("#profile")).to_have_value("paper")
    again = visit().open(first.url.split("/", 3)[3].join(["/", ""])).page
    expect(again.locator("#profile")).to_have_value("paper")
    expect(again.locator("#step-name")).to_have_text("0")


def test_another_profile_is_another_set_of_curves(visit: Callable[..., Visit]) -> None:
    page = visit().open(SERIES).page
    page.locator("#profile").select_option("paper")
    expect(marks(page, "spectrum", "steps")).to_have_count(2)
    expect(page.locator("#table tbody tr")).to_have_count(2)
    page.locator("#profile").select_option("exact")
    expect(marks(page, "spectrum", "steps")).to_have_count(4)


def test_a_checkpoint_without_a_step_says_what_is_missing(visit: Callable[..., Visit]) -> None:
    page = visit().open("/?model=org/alone").page
    expect(marks(page, "spectrum", "highlight")).to_have_count(1)
    expect(page.locator("#stepper")).to_be_hidden()
    expect(page.locator(".card-emergence")).to_be_hidden()
    expect(page.locator("#readout")).to_contain_text("no baseline to compare with")
    expect(page.locator("#readout")).to_contain_text("no interval (2 samples)")
    expect(page.locator("#readout")).to_contain_text("Nulls were not measured")


def test_only_the_bend_of_tau(visit: Callable[..., Visit]) -> None:
    page = visit().open(SERIES).page
    settled(page)
    before = shown_path(page, "tau")
    button = page.get_by_role("button", name="Bend only")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(marks(page, "tau", "highlight").first).not_to_have_attribute("d", before or "")


# exports


def test_a_chart_is_saved_as_svg_and_csv(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(SERIES).page
    settled(page)
    with page.expect_download() as svg:
        page.get_by_role("button", name="Degree of emergence as SVG").click()
    assert svg.value.suggested_filename == "stdlib-14m-emergence.svg"
    assert Path(svg.value.path()).read_text(encoding="utf-8").startswith("<svg")
    with page.expect_download() as table:
        page.get_by_role("button", name="Degree of emergence as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(table.value.path()).read_text(encoding="utf-8"))))
    items = httpx.get(f"{address}/v1/models/stdlib-14m/emergence?profile=exact").json()["items"]
    real = {int(row["step"]): float(row["value"]) for row in rows if row["model"] == "real"}
    assert real == {item["step"]: item["emergence"]["value"] for item in items}
    assert len(rows) == 4 * len(items)


def test_the_links_lead_to_the_json_shown(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open(SERIES).page
    for link in (page.locator("#json-link"), page.get_by_role("link", name="Multifractal spectrum as JSON")):
        answer = httpx.get(address + (link.get_attribute("href") or ""))
        assert [item["step"] for item in answer.json()["items"]] == [0, 128, 512, 2000]


def test_page_and_library_draw_the_same_rows(visit: Callable[..., Visit], filled_dir: Path) -> None:
    page = visit().open(SERIES).page
    settled(page)
    with open_store(data_dir=filled_dir) as store:
        results = store.results("stdlib-14m", profile="exact")
        scores = store.scores("stdlib-14m")
    expected = {
        "Multifractal spectrum": spectrum_rows(results),
        "Spectrum width": metric_rows(results, "width"),
        "Node fractal dimension": dimension_rows(results),
        "Measures and benchmarks": radar_rows(results, scores),
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


# looks


@pytest.mark.parametrize("width", [320, 380, 768, 1280])
def test_nothing_scrolls_sideways(visit: Callable[..., Visit], width: int) -> None:
    page = visit(width=width).open(SERIES).page
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    opened_graph(page)
    page.locator("#graph [name=neuron]").select_option(index=3)
    page.wait_for_selector("#graph .neuron table")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for card in CARDS:
        box = page.locator(f".card-{card} svg.marks").bounding_box()
        assert box is not None
        assert 200 < box["width"] <= width


def test_dark_follows_the_system_and_a_choice_is_kept(visit: Callable[..., Visit]) -> None:
    page = visit(scheme="dark").open(SERIES).page
    ground = "getComputedStyle(document.body).backgroundColor"
    paper = "document.querySelector('.card-spectrum svg.marks')?.style.backgroundColor"
    dark = page.evaluate(ground), page.evaluate(paper)
    page.get_by_role("button", name="Switch to the light theme").click()
    chart = page.locator(".card-spectrum svg.marks")
    expect(chart).to_have_css("background-color", WHITE)
    assert page.evaluate(ground) != dark[0]
    assert dark[1] != WHITE
    page.reload()
    page.wait_for_selector(".card-spectrum svg.marks")
    assert page.evaluate(paper) == WHITE
    page.get_by_role("button", name="Switch to the dark theme").click()
    expect(chart).to_have_css("background-color", dark[1])


def axe() -> str:
    named = os.environ.get("NEUROMFA_TEST_AXE")
    path = Path(named) if named else ROOT / ".cache/npm/node_modules/axe-core/axe.min.js"
    if not path.exists():
        missing("axe", f"there is no {path}")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("scheme", "width"), [("light", 380), ("dark", 1280)])
def test_axe_finds_nothing(visit: Callable[..., Visit], scheme: str, width: int) -> None:
    source = axe()
    page = visit(scheme=scheme, width=width).open(SERIES).page
    settled(page)
    opened_graph(page)
    page.locator("#graph [name=neuron]").select_option(index=3)
    page.wait_for_selector("#graph .neuron table")
    page.evaluate(source)
    found = page.evaluate("axe.run(document)")
    faults = [
        f"{fault['id']}: {[node['target'] for node in fault['nodes'][:3]]}" for fault in found["violations"]
    ]
    assert faults == []


# when things are not as hoped


def test_an_empty_store_says_how_to_fill_it(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.route("**/v1/models?*", lambda route: route.fulfill(json={"items": [], "next": None}))
    one.open("/", wait_for=".notice")
    expect(one.page.locator(".notice")).to_contain_text("Nothing is stored yet")
    expect(one.page.locator(".notice pre")).to_contain_text("neuromfa ingest")


def test_a_store_that_is_away_shows_its_words_and_can_be_tried_again(visit: Callable[..., Visit]) -> None:
    one = visit()
    problem = {
        "title": "The store cannot be reached",
        "status": 503,
        "detail": "the store at bolt://x is away",
    }

    def refuse(route: Route) -> None:
        route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem))

    one.page.route("**/v1/models?*", refuse)
    one.open("/", wait_for=".notice.bad")
    expect(one.page.get_by_role("alert")).to_contain_text("the store at bolt://x is away")
    one.page.unroute("**/v1/models?*")
    one.page.get_by_role("button", name="Try again").click()
    one.page.wait_for_selector("#charts svg.marks")
    one.said.clear()  # the browser itself writes down every 503


def test_steps_that_arrive_while_the_page_is_open_appear(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.clock.install()
    complete = {"now": False}

    def earlier(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        if not complete["now"]:
            body["items"] = body["items"][:-1]
        route.fulfill(response=answer, json=body)

    one.page.route("**/emergence?*", earlier)
    one.page.route("**/spectra?*", earlier)
    one.open(SERIES)
    expect(marks(one.page, "spectrum", "steps")).to_have_count(3)
    complete["now"] = True
    one.page.clock.fast_forward(11_000)
    expect(marks(one.page, "spectrum", "steps")).to_have_count(4)
    expect(one.page.locator("#step-name")).to_have_text("512")


def test_a_name_is_never_markup(visit: Callable[..., Visit]) -> None:
    one = visit()
    name = "<img src=x onerror=document.title='hit'>"
    item = {"id": name, "source": "", "checkpoints": 0}
    one.page.route("**/v1/models?*", lambda route: route.fulfill(json={"items": [item], "next": None}))
    one.page.route(
        "**/v1/models/*", lambda route: route.fulfill(json=item | {"properties": {}, "analyses": []})
    )
    one.open("/", wait_for=".notice")
    expect(one.page.locator("#model option")).to_have_text(name)
    assert one.page.locator("main img").count() == 0
    assert one.page.title() == "NeuroMFA"


def test_a_public_service_asks_for_its_key(
    visit: Callable[..., Visit], filled_dir: Path, tmp_path: Path
) -> None:
    key = "a-key-of-some-length"
    with served(filled_dir, tmp_path, NEUROMFA_HOST="0.0.0.0", NEUROMFA_API_KEY=key) as (_, address):
        one = visit(at=address).open(SERIES, wait_for="#key")
        for given in ("wrong", key):
            one.page.locator("#key").fill(given)
            one.page.get_by_role("button", name="Open").click()
        one.page.wait_for_selector("#charts svg.marks")
        one.said.clear()  # the browser itself writes down every 401


def test_the_reference_lists_every_route(visit: Callable[..., Visit], address: str) -> None:
    page = visit().open("/docs", wait_for=".opblock").page
    paths = httpx.get(f"{address}/openapi.json").json()["paths"]
    operations = [method for methods in paths.values() for method in methods]
    expect(page.locator(".opblock")).to_have_count(len(operations))
