"""The pages in a real Chromium: when the first chart stands, and what moving through 154 and 1,000 steps costs.

The rival draws the same spectra with Vega-Lite in the same tab (the shared chart file, its signal moved from step to
step), as a page without curves of its own would. ``python -m benchmarks pages`` writes results/pages.csv:
milliseconds of CPU a step of the scrubber, the ratio to the rival, frames a second; and of a first visit, with nothing
in the browser's cache, milliseconds from navigation to the first painted chart, bytes on the wire and requests. A
stored graph is looked at twice: read from the store, and from the memory of the service, the rival being the first.
``NEUROMFA_BENCH_STEPS=154`` leaves out the longer series.
"""

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Playwright, sync_playwright

from benchmarks.long_series import SERIES, fill, name_of
from neuromfa.graph import open_store
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import in_route
from neuromfa.options import AnalysisOptions
from tests.e2e.conftest import FLAGS
from tests.requirements import chromium

RESULTS = Path(__file__).parent / "results" / "pages.csv"
LENGTHS = tuple(map(int, os.environ.get("NEUROMFA_BENCH_STEPS", "154,1000").split(",")))
SCRUBS = 120
TRAINED, BLOCKS = 2000, (1, 2, 3)
DEMO_STEPS = 8
FIRST_CHART = """
const seen = new MutationObserver(() => {
  if (!document.querySelector("svg.panel .curve, svg.network .spot")) return;
  seen.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { globalThis.firstChart = performance.now(); }));
});
seen.observe(document, { childList: true, subtree: true });
"""
SERVE = """
from neuromfa.app.server import run
from neuromfa.app.settings import load_settings
run(load_settings(), ready=lambda address: print(address, flush=True))
"""
SCRUB = """async (count) => {
  const scrub = document.getElementById("scrub");
  const frame = () => new Promise(requestAnimationFrame);
  const start = performance.now();
  for (let k = 0; k < count; k += 1) {
    scrub.value = k % (Number(scrub.max) + 1);
    scrub.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
  }
  return 1000 * count / (performance.now() - start);
}"""
RIVAL = """async (count) => {
  const { spectrumRows } = await import(new URL("rows.js", document.querySelector("script[type=module]").src));
  const home = document.body.dataset.root;
  const base = document.querySelector("script[type=module]").src.replace(/[^/]+$/, "");
  for (const name of ["vega", "vega-lite", "vega-embed"]) await new Promise((done) => {
    const script = Object.assign(document.createElement("script"), { src: `${base}vendor/${name}.min.js` });
    script.onload = done;
    document.head.append(script);
  });
  const data = JSON.parse(document.getElementById("data").textContent);
  let items = [], cursor = null;
  do {
    const words = new URLSearchParams({ options: data.options, limit: 100, ...(cursor === null ? {} : { cursor }) });
    const listing = await (await fetch(`${home}v1/models/${data.model.replaceAll("/", "--")}/spectra?${words}`)).json();
    items = items.concat(listing.items);
    cursor = listing.next;
  } while (cursor !== null);
  const read = async (name) => (await fetch(`${home}charts/${name}.json`)).json();
  const [spec, config] = [await read("spectrum"), await read("theme-light")];
  const place = document.querySelector("main").appendChild(document.createElement("div"));
  const values = { highlighted: 0, stepTicks: [], bend: false };
  const params = spec.params.map((one) => ({ ...one, value: values[one.name] }));
  const whole = { ...spec, params, width: 700, height: 380, datasets: { rows: spectrumRows(items) } };
  const how = { config, ast: true, renderer: "svg", actions: false, defaultStyle: false };
  const drawn = await vegaEmbed(place, whole, how);
  globalThis.rival = { view: drawn.view, steps: items.map(({ step }) => step) };
  await new Promise(requestAnimationFrame);
}"""
RIVAL_SCRUB = """async (count) => {
  const { view, steps } = globalThis.rival;
  for (let k = 0; k < count; k += 1) {
    await view.signal("highlighted", steps[k % steps.length]).runAsync();
    await new Promise(requestAnimationFrame);
  }
}"""


def main() -> None:
    """Measure, print and write the table."""
    rows = [["what", "steps", "value", "unit", "ratio to Vega-Lite", "goal"]]
    for row in chain(first_charts(DEMO_STEPS), graphs(), *map(measured, LENGTHS)):
        print(*row, sep="\t", flush=True)
        rows.append(row)
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def first_charts(steps: int) -> Iterator[list[str]]:
    """Yield the rows of first visits to a series as long as that of the demo.

    First both the service and the browser are just started, then the service only, then neither: what a browser needs
    for the first chart of its life is its own.
    """
    with filled(steps) as folder, sync_playwright() as playwright, opened(playwright) as browser:
        for new in ("service and browser", "service", "neither"):
            with serving(folder) as address:
                page = f"{address}/models/{in_route(name_of(0))}"
                if new == "neither":
                    first_chart(browser, page)
                shown, wire = first_chart(browser, page)
                what = f"first chart, {new} just started"
                yield [what, f"{steps}", f"{shown:.0f}", "ms", "", "under 1000 ms"]
                yield [what, f"{steps}", f"{sum(wire) / 1000:.0f}", "kB", "", "at most 350 kB"]
                yield [what, f"{steps}", f"{len(wire)}", "requests", "", ""]


def graphs() -> Iterator[list[str]]:
    """Yield the rows of the graph of a trained step of the demo: the first look at it, and looks at other blocks."""
    with tempfile.TemporaryDirectory() as folder:
        with open_store(data_dir=Path(folder)) as store:
            ingest(IngestRequest(source=str(SERIES), options=AnalysisOptions(), steps=f"0,{TRAINED}"), store)
        with serving(Path(folder)) as address, sync_playwright() as playwright, opened(playwright) as browser:
            series = f"{address}/models/{SERIES.name}"
            first_chart(browser, series)
            page = f"{series}/graph/{TRAINED}"
            cold, _ = first_chart(browser, page)
            warm = median(first_chart(browser, f"{page}?block={block}")[0] for block in BLOCKS)
    yield ["graph, from the store", "", f"{cold:.0f}", "ms", "", ""]
    yield [
        "graph, from memory",
        "",
        f"{warm:.0f}",
        "ms",
        f"{warm / cold:.2f} (to the store)",
        "under 1000 ms",
    ]


def first_chart(browser: Browser, address: str) -> tuple[float, list[float]]:
    """Return milliseconds from navigation to the first painted chart in a new profile, and the sizes of all answers."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.add_init_script(FIRST_CHART)
    wire = listen(context.new_cdp_session(page))
    page.goto(address)
    page.wait_for_function("globalThis.firstChart")
    shown: float = page.evaluate("globalThis.firstChart")
    page.wait_for_load_state("networkidle")
    context.close()
    return shown, wire


@contextmanager
def filled(steps: int) -> Iterator[Path]:
    """Make a store of one series of so many steps; give its folder."""
    with tempfile.TemporaryDirectory() as folder:
        with open_store(data_dir=Path(folder)) as store:
            fill(store, models=1, steps=steps)
        yield Path(folder)


@contextmanager
def opened(playwright: Playwright) -> Iterator[Browser]:
    """Run a Chromium."""
    browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    try:
        yield browser
    finally:
        browser.close()


def measured(steps: int) -> Iterator[list[str]]:
    """Yield the rows of a series of so many steps."""
    with (
        filled(steps) as folder,
        serving(folder) as address,
        sync_playwright() as playwright,
        opened(playwright) as browser,
    ):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        session = page.context.new_cdp_session(page)
        wire = listen(session)
        page.goto(f"{address}/models/{in_route(name_of(0))}")
        page.wait_for_selector("body[data-state=fresh]")
        yield [
            f"first visit of a series of {steps}",
            f"{steps}",
            f"{sum(wire) / 1000:.0f}",
            "kB",
            "",
            "at most 350 kB",
        ]
        page.locator("#scrub").focus()
        page.evaluate(SCRUB, 5)
        page.wait_for_timeout(3000)
        so_far = len(wire)
        own, frames = cost(session, page, SCRUB)
        asked = (len(wire) - so_far) / SCRUBS
        page.evaluate(RIVAL, 1)
        other, _ = cost(session, page, RIVAL_SCRUB, count=max(10, SCRUBS // 10))
        yield [
            "CPU of a scrub",
            f"{steps}",
            f"{own:.1f}",
            "ms",
            f"{own / other:.3f}",
            "at most 16 ms at 154",
        ]
        yield ["requests of a scrub", f"{steps}", f"{asked:.2f}", "", "", ""]
        yield ["CPU of a scrub, rival", f"{steps}", f"{other:.1f}", "ms", "1", ""]
        yield [
            "frames while scrubbing",
            f"{steps}",
            f"{frames:.0f}",
            "a second",
            "",
            "60 where the machine is idle",
        ]


def listen(session: CDPSession) -> list[float]:
    """Return a list to which the size on the wire of every answer is added."""
    sizes: list[float] = []
    session.send("Network.enable")
    session.send("Performance.enable")
    session.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    return sizes


def cost(session: CDPSession, page: Page, script: str, *, count: int = SCRUBS) -> tuple[float, float]:
    """Return the milliseconds of the tab's main thread a step, and what the script returns."""
    before = task_seconds(session)
    frames: Any = page.evaluate(script, count)
    return 1000 * (task_seconds(session) - before) / count, frames or 0.0


def task_seconds(session: CDPSession) -> float:
    """Return the seconds that tasks of the main thread took so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the service on the store in a folder; give its address."""
    settings = {"NEUROMFA_DATA_DIR": str(folder), "NEUROMFA_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], text=True, stdout=subprocess.PIPE, env=os.environ | settings
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
