"""REST over a series as long as Pythia's (154 steps of ten samples), each route against a bare route of the same bytes.

The store holds one measured result under as many identities; the embedded server is used. A table goes to
results/service.csv: milliseconds, the median of some rounds, and the ratio to a FastAPI route that returns the same
bytes.
"""

import csv
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI, Response
from starlette.testclient import TestClient

from neuromfa.analysis import analyze
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
from neuromfa.checkpoints import open_series
from neuromfa.graph import GraphStore, open_store
from neuromfa.identity import content_hash
from neuromfa.options import AnalysisOptions

SERIES = Path(__file__).parents[1] / "series" / "stdlib-14m"
RESULTS = Path(__file__).parent / "results" / "service.csv"
STEPS, ROUNDS, MODEL = 154, 15, "bench"
ROUTES = {
    "emergence, all steps": f"/v1/models/{MODEL}/emergence?limit=200",
    "emergence, limit=1": f"/v1/models/{MODEL}/emergence?limit=1",
    "spectra, all steps": f"/v1/models/{MODEL}/spectra?limit=200",
    "spectrum of a step": f"/v1/models/{MODEL}/checkpoints/77000/spectrum",
    "metrics of a step": f"/v1/models/{MODEL}/checkpoints/77000/metrics",
}


def fill(store: GraphStore) -> None:
    """Write a series of `STEPS` steps."""
    options = AnalysisOptions()
    [start, result] = analyze(open_series(str(SERIES)), options, steps="0,2000").checkpoints
    store.write_model(MODEL, source="made by a benchmark")
    for k in range(STEPS):
        store.write_checkpoint(MODEL, 1000 * k, revision=f"step{1000 * k}")
        own = replace(result if k else start, step=1000 * k, analysis_hash=content_hash(["bench", k]))
        store.write_result(MODEL, own, options)


@contextmanager
def service(store: GraphStore) -> Iterator[TestClient]:
    """Give a client of the service in this process."""
    with TestClient(create_app(Settings(), store=store), base_url="http://127.0.0.1:8000") as client:
        yield client


def milliseconds(ask: Callable[[], object]) -> float:
    """Return the median time of a request."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def bare(content: bytes) -> float:
    """Return the time of a route that has the answer ready."""
    app = FastAPI()
    app.get("/")(lambda: Response(content, media_type="application/json"))
    with TestClient(app) as client:
        return milliseconds(lambda: client.get("/"))


def main() -> None:
    """Measure and write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, open_store(data_dir=folder) as store:
        fill(store)
        with service(store) as client:
            for name, route in ROUTES.items():
                answer = client.get(route)
                assert answer.status_code == 200, answer.text
                full, floor = milliseconds(lambda route=route: client.get(route)), bare(answer.content)
                known = {"If-None-Match": answer.headers["etag"]}
                again = milliseconds(lambda route=route, known=known: client.get(route, headers=known))
                size, ratio = len(answer.content), full / floor
                rows.append([name, size, round(full, 1), round(again, 1), round(ratio, 1)])
                print(f"{name:22} {size:>9,} bytes {full:7.1f} ms, 304 {again:6.1f} ms, {ratio:5.1f} x bare")
    with RESULTS.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["route", "bytes", "ms", "ms_304", "ratio_to_bare"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
