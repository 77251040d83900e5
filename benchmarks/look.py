"""Every page in a real Chromium, to be looked at: ``python -m benchmarks.look OUT_FOLDER [PAGE...]``.

A store is made in OUT_FOLDER/store, once: the bundled series with its controls, one series of 154 steps, one of 1,000,
and fifteen more, so that twenty are listed, and a few jobs. Every page, at the widths of a phone, a tablet, a desk and
a wall, light and dark, is written to OUT_FOLDER as a picture; what a script can tell of its looks is printed. PAGE
names pages to take, as in `PAGES`.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.bench_pages import serving
from benchmarks.long_series import write_series
from neuromfa.app.cli.demo import SCORES, SERIES, bundled_series
from neuromfa.graph import GraphStore, open_store
from neuromfa.graph.job_queue import JobQueue
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult
from neuromfa.score_files import read_scores
from tests.e2e.conftest import FLAGS
from tests.e2e.layout import axe_faults, faults, used_width
from tests.e2e.test_series_page import axe
from tests.requirements import chromium

MAIN, GRAPH = "/models/stdlib-14m", "/models/stdlib-14m/graph/2000"
NEURON, TARGET = "B00.input.00048", "B00.mlp.00067"
SIX = (*SERIES, "long/154-steps", "long/1000-steps", "run-00")
PAGES = {
    "all": "/",
    "all-none": "/?q=nothing-has-this-name",
    "series": MAIN,
    **{
        f"tab-{tab}": f"{MAIN}?tab={tab}&step=512" for tab in ("neurons", "matrices", "benchmarks", "numbers")
    },
    "tab-provenance": f"{MAIN}?tab=provenance",
    "linear": f"{MAIN}?along=linear",
    "steps-154": "/models/long--154-steps",
    "steps-154-linear": "/models/long--154-steps?along=linear&step=20000",
    "steps-154-numbers": "/models/long--154-steps?tab=numbers",
    "steps-1000": "/models/long--1000-steps",
    "one-step": "/models/run-01",
    "compare": "/compare",
    "compare-2": f"/compare?models={SERIES[0]}&models={SERIES[1]}",
    "compare-6": f"/compare?models={','.join(one.replace('/', '--') for one in SIX)}",
    "compare-share": f"/compare?models={SERIES[0]}&models=long--154-steps&by=share",
    "graph": GRAPH,
    "graph-neuron": f"{GRAPH}?neuron={NEURON}&to={TARGET}&boxes=10",
    "graph-change": f"{GRAPH}?since=128&block=1",
    "jobs": "/jobs",
    "report": f"{MAIN}/report",
    "report-long": "/models/long--154-steps/report",
    "problem": "/models/nobody",
    "key": "/key",
}
WIDTHS, SCHEMES = (360, 768, 1400, 2560), ("light", "dark")
FILLED = "filled"
WORKER = "a-worker"
SOURCES = (
    "EleutherAI/pythia-70m-deduped",
    "a-folder-with-a-long-name/of-checkpoints/that-nobody-has-measured-yet",
    "EleutherAI/pythia-14m",
    "EleutherAI/pythia-160m",
)
FAILURE = (
    "step512 has no tensor gpt_neox.layers.3.mlp.dense_4h_to_h.weight: download pythia-70m-deduped again."
)


def main(folder: Path, wanted: Sequence[str]) -> int:
    """Take the pictures and print what is wrong; return how many pages have a fault."""
    folder.mkdir(parents=True, exist_ok=True)
    fill_once(folder / "store")
    with serving(folder / "store") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        told = [list(taken(browser, address, folder, name)) for name in PAGES if not wanted or name in wanted]
        browser.close()
    return sum(map(any, told))


def taken(browser: Browser, address: str, folder: Path, name: str) -> Iterator[str]:
    """Write a page at every width in both themes; print and yield its faults."""
    for scheme in SCHEMES:
        page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
        said: list[str] = []
        page.on("pageerror", lambda error, said=said: said.append(f"script: {error}"))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(address + PAGES[name])
            page.wait_for_load_state("networkidle")
            found = [*said, *faults(page, thumb=width == min(WIDTHS))]
            if width == max(WIDTHS) and not name.startswith("report") and (used := used_width(page)) < 0.9:
                found.append(f"{100 * used:.0f} % of the width are used")
            if width in (min(WIDTHS), 1400):
                found += axe_faults(page, axe())
            page.evaluate("document.getElementById('stepper')?.style.setProperty('position', 'static')")
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
            for fault in found:
                print(f"{name} {width} {scheme}: {fault}", flush=True)
            yield from found
        page.close()


# ---- the store


def fill_once(folder: Path) -> None:
    """Make the store, unless it is there whole."""
    if (folder / FILLED).exists():
        return
    with open_store(data_dir=folder) as store:
        for name in SERIES:
            write_bundled(store, name)
        write_made(store)
        write_jobs(store)
    (folder / FILLED).touch()


def write_bundled(store: GraphStore, name: str) -> None:
    """Ingest a bundled series with all that pages can show."""
    source = bundled_series(name)
    ingest(
        IngestRequest(source=str(source), options=AnalysisOptions(neurons=1, matrices=True), same_run=True),
        store,
    )
    if (source / SCORES).exists():
        store.write_scores(name, read_scores(source / SCORES, model=name))


def write_made(store: GraphStore) -> None:
    """Write seventeen more series from the numbers of the bundled ones."""
    write_series(store, "long/154-steps", stretched(measured(store, SERIES[0]), 154))
    write_series(store, "long/1000-steps", stretched(measured(store, SERIES[1]), 1000))
    for k in range(15):
        known = measured(store, SERIES[k % len(SERIES)])
        write_series(store, f"run-{k:02}", known[-1:] if k == 1 else stretched(known, 3 + 2 * k))


def measured(store: GraphStore, name: str) -> list[CheckpointResult]:
    """Return the results of a stored series."""
    steps = [one.step for one in store.each_checkpoint(name)]
    return [store.result(name, step) for step in steps]


def stretched(results: Sequence[CheckpointResult], steps: int) -> list[CheckpointResult]:
    """Return so many results that take the course of these: most of it early, as in training."""
    last = len(results) - 1
    return [results[round(last * (k / max(steps - 1, 1)) ** 0.4)] for k in range(steps)]


def write_jobs(store: GraphStore) -> None:
    """Leave a job in every state that a page shows: one waits, runs, was cancelled, failed."""
    queue = JobQueue(store)
    failed, cancelled, running, _ = (queue.enqueue({"source": source}) for source in SOURCES)
    if held := queue.take(failed.id, WORKER):
        queue.finish(held, WORKER, "failed", message=FAILURE, failed=3)
    queue.cancel(cancelled.id)
    if held := queue.take(running.id, WORKER):
        queue.report(
            held, WORKER, done=42, total=154, message="step 41000 of EleutherAI/pythia-14m is measured"
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
