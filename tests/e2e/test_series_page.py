"""The page of one series: verdict first, one state, addresses that hold, failures in plain sight."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Visit
from tests.requirements import missing
from tests.serving import served

pytestmark = pytest.mark.browser

SERIES = "/models/stdlib-14m?profile=exact"
READY = "body[data-state=fresh]"
ROOT = Path(__file__).parents[2]


def opened(visit: Callable[..., Visit], path: str = SERIES, **how: object) -> Page:
    return visit(**how).open(path, wait_for=READY).page


def axe() -> str:
    named = os.environ.get("NEUROMFA_TEST_AXE")
    path = Path(named) if named else ROOT / ".cache/npm/node_modules/axe-core/axe.min.js"
    if not path.exists():
        missing("axe", f"there is no {path}")
    return path.read_text(encoding="utf-8")


def test_the_first_screen_answers_the_question(visit: Callable[..., Visit], address: str) -> None:
    page = opened(visit, width=1400)
    verdict = httpx.get(f"{address}/v1/models/stdlib-14m/emergence?profile=exact").json()["verdict"]
    told = page.locator("main").aria_snapshot()
    for words in (verdict["sentence"].split(" (")[0], "Onset", verdict["strongest"], "Effect g²", "margin"):
        assert words in told
    first_screen = page.get_by_role("heading", name="More than growth?").bounding_box()
    panels = [page.locator(f"#panel-{name} svg").bounding_box() for name in ("effect", "emergence")]
    assert first_screen is not None and first_screen["y"] < 200
    assert all(box is not None and box["y"] + box["height"] < 900 for box in panels)


def test_panels_share_one_axis_and_real_lies_on_top(visit: Callable[..., Visit]) -> None:
    page = opened(visit)
    curves = page.locator("#panel-emergence .curve")
    kinds = [one.get_attribute("class") for one in curves.all()]
    assert kinds[-1] == "curve is-real" and "curve is-shuffled" in kinds
    places = [
        page.locator(f"#panel-{name} .now").get_attribute("transform")
        for name in ("effect", "emergence", "alpha0", "score-next_byte-loss")
    ]
    assert len(set(places)) == 1
    expect(
        page.get_by_role("img", name=re.compile("E, degree of emergence: real from 0 to .* over 4 steps"))
    ).to_be_visible()


def test_flags_stand_on_the_points_they_concern(visit: Callable[..., Visit], address: str) -> None:
    page = opened(visit)
    items = httpx.get(f"{address}/v1/models/stdlib-14m/emergence?profile=exact").json()["items"]
    flagged = sum(bool(item["flags"]) for item in items)
    assert flagged
    expect(page.locator("#panel-alpha0 .flagged")).to_have_count(flagged)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/models/nobody", "model 'nobody' is not in the store"),
        ("/models/stdlib-14m?step=7", "stdlib-14m has no measured step 7"),
        ("/models/stdlib-14m?step=x", "a step is a number such as 512"),
        ("/models/stdlib-14m?options=0123456789", "no results for options=0123456789"),
        ("/models/stdlib-14m?tab=neurons&seed=77", "no graph of seed 77"),
    ],
)
def test_what_is_not_there_is_said_and_never_replaced(
    visit: Callable[..., Visit], path: str, words: str
) -> None:
    one = visit()
    one.open(path, wait_for="[role=alert]")
    expect(one.page.get_by_role("alert")).to_contain_text(words)
    assert one.page.locator("svg.panel").count() == 0
    one.said.clear()  # the browser itself writes down every 404


def test_a_step_is_chosen_by_keyboard_kept_in_the_address_and_walked_back(
    visit: Callable[..., Visit],
) -> None:
    page = opened(visit, f"{SERIES}&step=128")
    expect(page).to_have_title("stdlib-14m, step 128, layers – NeuroMFA")
    page.locator("#scrub").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#step-name")).to_have_text("512")
    expect(page).to_have_url(re.compile("step=512"))
    expect(page.locator("#readout h2")).to_have_text("Step 512")
    expect(page).to_have_title("stdlib-14m, step 512, layers – NeuroMFA")
    page.go_back()
    expect(page.locator("#readout h2")).to_have_text("Step 128")
    expect(page.locator("#step-name")).to_have_text("128")
    page.go_forward()
    expect(page.locator("#readout h2")).to_have_text("Step 512")


def test_only_what_changed_is_replaced(visit: Callable[..., Visit]) -> None:
    page = opened(visit, f"{SERIES}&step=0&tab=benchmarks")
    page.evaluate(
        "document.querySelectorAll('#tab h2, #readout h2').forEach((one) => { one.dataset.mine = '1'; })"
    )
    for step in ("128", "512"):
        page.get_by_role("button", name="Next step").click()
        expect(page.locator("#readout h2")).to_have_text(f"Step {step}")
    assert page.locator("#tab h2[data-mine]").count() == 1
    assert page.locator("#readout h2[data-mine]").count() == 0


def test_the_chosen_curve_is_that_of_the_step(visit: Callable[..., Visit]) -> None:
    page = opened(visit, f"{SERIES}&step=0")
    chosen = page.locator("[data-part=spectrum] .chosen .curve")
    before = chosen.get_attribute("d") or ""
    page.locator("#scrub").focus()
    page.keyboard.press("End")
    expect(chosen).not_to_have_attribute("d", before)
    again = opened(visit, f"{SERIES}&step=2000").locator("[data-part=spectrum] .chosen .curve")
    expect(page.locator("#readout h2")).to_have_text("Step 2000")
    expect(chosen).to_have_attribute("d", again.get_attribute("d") or "")


def test_a_slow_answer_never_stands_under_another_name(visit: Callable[..., Visit]) -> None:
    page = opened(visit, f"{SERIES}&step=2000")
    held: list[Route] = []
    page.route(re.compile(r"step=128"), lambda route: held.append(route))
    page.get_by_role("button", name="Previous step").click()
    page.get_by_role("button", name="Previous step").click()
    expect(page.locator("[data-part=readout]")).to_have_class(re.compile("stale"))
    page.get_by_role("button", name="Previous step").click()
    expect(page.locator("#readout h2")).to_have_text("Step 0")
    for route in held:
        route.abort()
    expect(page.locator("#readout h2")).to_have_text("Step 0")
    expect(page.locator("#step-name")).to_have_text("0")


def test_a_service_that_is_away_is_said_with_the_age_and_comes_back_by_itself(
    visit: Callable[..., Visit],
) -> None:
    one = visit()
    one.page.clock.install()
    one.open(SERIES, wait_for=READY)
    one.page.route("**/models/**", lambda route: route.abort())
    one.page.clock.run_for(11_000)
    expect(one.page.locator("#freshness")).to_contain_text("does not answer. These numbers are 1")
    expect(one.page.locator("#verdict")).to_be_visible()
    one.page.unroute("**/models/**")
    one.page.clock.run_for(11_000)
    expect(one.page.locator("#freshness")).to_be_hidden()
    one.said.clear()  # the browser itself writes down what did not answer


def test_what_arrives_while_the_page_is_open_appears(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.clock.install()

    def earlier(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("4 measured", "3 measured"))

    one.page.route("**/models/**", earlier)
    one.open(SERIES, wait_for=READY)
    expect(one.page.locator(".counts")).to_contain_text("3 measured")
    one.page.unroute("**/models/**")
    one.page.clock.run_for(11_000)
    expect(one.page.locator(".counts")).to_contain_text("4 measured")


@pytest.mark.parametrize("tab", ["Layers", "Neurons", "Matrices", "Benchmarks", "Numbers", "Provenance"])
def test_every_tab_has_an_address_and_says_what_it_holds(visit: Callable[..., Visit], tab: str) -> None:
    page = opened(visit, f"{SERIES}&step=512")
    page.get_by_role("link", name=tab, exact=True).click()
    page.wait_for_selector(f".tab-{tab.lower()}")
    assert "step=512" in page.url
    words = {
        "Layers": "qkv",
        "Neurons": "B0",
        "Matrices": "matrices",
        "Benchmarks": "next_byte loss",
        "Numbers": "Kept",
        "Provenance": "Method version",
    }
    expect(page.locator("#tab")).to_contain_text(words[tab])


def test_layers_are_a_heat_map_of_blocks_and_steps(visit: Callable[..., Visit]) -> None:
    page = opened(visit)
    picture = page.get_by_role(
        "img", name=re.compile("Mean node dimension of mlp by block and step: 6 rows, 4 steps")
    )
    assert picture.locator(".cell").count() == 24
    beyond = page.get_by_role("img", name=re.compile("Excess of α₀ by matrix kind and step: 4 rows, 4 steps"))
    assert beyond.locator(".cell").count() == 16
    blocks = page.get_by_role("img", name=re.compile("g² in shape by block and step: 6 rows, 4 steps.*cells"))
    assert blocks.locator(".cell").count() == 24 and blocks.locator(".tick.here").count() == 1
    with page.expect_download() as told:
        page.get_by_role("link", name="g² in shape by block and step as CSV").click()
    assert told.value.suggested_filename == "stdlib-14m-g2-by-block.csv"


def test_the_numbers_shown_are_those_served(visit: Callable[..., Visit], address: str) -> None:
    page = opened(visit, f"{SERIES}&step=512&tab=numbers")
    item = httpx.get(f"{address}/v1/models/stdlib-14m/checkpoints/512/metrics?profile=exact").json()
    row = page.locator("#tab tbody tr[aria-current]")
    for name in ("alpha0", "width", "emergence"):
        expect(row).to_contain_text(f"{item[name]['value']:.4f}".replace("-", "−"))
    assert row.locator(".chip").count() == len(item["flags"])
    expect(page.locator("#tab tbody tr")).to_have_count(4)


def test_a_checkpoint_without_a_step_says_what_is_missing(visit: Callable[..., Visit]) -> None:
    page = opened(visit, "/models/org--alone")
    expect(page.locator("#stepper")).to_be_hidden()
    expect(page.locator("#readout")).to_contain_text("no baseline to compare with")
    expect(page.locator("#readout")).to_contain_text("no interval")
    expect(page.locator("#readout")).to_contain_text("Nulls were not measured")


def test_without_scripts_everything_can_be_read(browser: object, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(f"{address}{SERIES}&step=512")
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#readout h2")).to_have_text("Step 512")
    assert page.locator("svg.panel").count() > 5
    context.close()


@pytest.mark.parametrize("width", [360, 768, 2560])
def test_nothing_scrolls_sideways(visit: Callable[..., Visit], width: int) -> None:
    page = opened(visit, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("scheme", "width"), [("light", 380), ("dark", 1400)])
def test_axe_finds_nothing(visit: Callable[..., Visit], scheme: str, width: int) -> None:
    source = axe()
    page = opened(visit, scheme=scheme, width=width)
    page.evaluate(source)
    found = page.evaluate("axe.run(document)")
    assert [
        f"{one['id']}: {json.dumps([node['target'] for node in one['nodes'][:3]])}"
        for one in found["violations"]
    ] == []


def test_a_public_service_asks_for_its_key_once(
    visit: Callable[..., Visit], filled_dir: Path, tmp_path: Path
) -> None:
    key = "a-key-of-some-length"
    with served(filled_dir, tmp_path, NEUROMFA_HOST="0.0.0.0", NEUROMFA_API_KEY=key) as (_, address):
        one = visit(at=address).open(SERIES, wait_for="#key")
        for given in ("wrong", key):
            one.page.locator("#key").fill(given)
            one.page.get_by_role("button", name="Open").click()
        one.page.wait_for_selector("svg.panel")
        assert "profile=exact" in one.page.url
        assert one.page.context.cookies()[0]["httpOnly"] is True
        one.said.clear()  # the browser itself writes down every 401
