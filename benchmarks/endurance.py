"""Does the service answer beside an ingest, and does its memory stay flat?

200 readers ask for stored spectra once a second each while a series is ingested; then
``python -m benchmarks.endurance [N]`` sends N requests (100,000 without a word) of every kind, questions to graphs
among them, to addresses that are never the same for long; after each tenth the service's resident memory is written
to results/endurance.csv. What the memories of the settings hold at most is reached on the way: from then on it is to
stay flat, and no answer may fail. The embedded store is used.
"""

import csv
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import load
from benchmarks.bench_service import SERVE, bare, running
from benchmarks.long_series import GAP, SERIES, STEPS, fill, name_of
from neuromfa.graph import open_store
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.model_id import in_route
from neuromfa.options import AnalysisOptions

RESULTS = Path(__file__).parent / "results" / "endurance.csv"
REQUESTS, PARTS, AT_ONCE = 100_000, 10, 8
ROUNDS = 100  # of addresses that a part is made of
BY_SERVER = 20  # of so many questions the server answers one: it takes as long as hundreds of other requests
READERS, SECONDS = 200, 27.0
LOADING_S = 3.0  # until an ingest has loaded what it needs
LONG, GRAPHS = in_route(name_of(0)), "/v1/models/stdlib-14m/checkpoints/2000/samples/0"


def main() -> None:
    """Fill a store, ask, and tell."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with tempfile.TemporaryDirectory() as folder, open_store(data_dir=folder) as store:
        fill(store, models=2)
        options = AnalysisOptions(samples=1, nodes=32, nulls=False)
        ingest(IngestRequest(source=str(SERIES), steps="0,2000", options=options), store)
        for ask in (
            lambda address: beside_an_ingest(address, folder),
            lambda address: endure(address, requests),
        ):
            # each of a service of its own, that nobody asked for anything yet
            with running([sys.executable, "-c", SERVE], {"NEUROMFA_DATA_DIR": folder}) as address:
                ask(address)


def endure(address: str, requests: int) -> None:
    """Ask for everything and write how much memory the service takes."""
    draw, rows = random.Random(0), [[0, round(resident(address)), "", "", ""]]
    print(*rows[0], flush=True)
    for part in range(1, PARTS + 1):
        paths = [path for _ in range(ROUNDS) for path in addresses(draw)]
        asked = load.read(address, paths, readers=AT_ONCE, requests=requests // PARTS)
        failed = sum(status >= 500 or status == 429 for status in asked.statuses)
        told = [f"{asked.rate:.0f}", f"{asked.p99_ms:.0f}", failed]
        rows.append([part * requests // PARTS, round(resident(address)), *told])
        print(*rows[-1], flush=True)
    with RESULTS.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["requests", "megabytes", "requests_a_second", "p99_ms", "failed"])
        writer.writerows(rows)


def addresses(draw: random.Random) -> Iterator[str]:
    """Yield addresses of every kind."""
    step, model = GAP * draw.randrange(STEPS), in_route(name_of(draw.randrange(2)))
    engine = "numpy" if draw.randrange(BY_SERVER) else "cypher"
    yield f"/v1/models/{model}/checkpoints/{step}/spectrum?samples={draw.choice(('true', 'false'))}"
    yield f"/v1/models/{model}/checkpoints/{step}/metrics"
    yield f"/v1/models/{model}/emergence?limit={draw.randrange(1, 200)}&cursor={step}"
    yield f"/v1/models/{model}/checkpoints?limit={draw.randrange(1, 200)}"
    yield f"/v1/emergence?from_step={step}"
    yield f"{GRAPHS}/neurons?limit={draw.randrange(1, 200)}&engine={engine}"
    yield f"{GRAPHS}/strongest?top={draw.randrange(1, 50)}&engine={engine}"
    yield f"{GRAPHS}/ball?source=B00.input.{draw.randrange(32):05d}&radius={draw.randrange(1, 40)}&engine={engine}"
    yield f"/v1/models/nobody-{draw.randrange(10**9)}"


def beside_an_ingest(address: str, folder: str) -> None:
    """Print what readers wait while another process measures and writes: of a bare route, then of stored spectra.

    The bare route, with the same bytes ready, tells what the machine alone makes them wait. An address that nobody
    asked for since the start of the service is read from the store, so the first second of those is the worst.
    """
    command = [
        sys.executable,
        "-m",
        "neuromfa",
        "ingest",
        str(SERIES),
        "--model-id",
        "meanwhile",
        "--data-dir",
        folder,
    ]
    paths = [f"/v1/models/{LONG}/checkpoints/{GAP * k}/spectrum" for k in range(STEPS)]
    one = load.once(address, paths[0])
    with (
        bare(Path(folder) / "floor", {"0": one.body}) as floor,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(folder)) as under_way,
    ):
        time.sleep(LOADING_S)
        for who, at, asked in (
            ("a bare route", floor, ["/0"]),
            ("not asked for before", address, paths),
            ("asked for before", address, paths),
        ):
            crowd = load.read(at, asked, readers=READERS, seconds=SECONDS / 3, pause=1.0)
            beside = "" if under_way.poll() is None else ", part of the time beside none"
            figures = f"p50 {crowd.median_ms:.0f} ms, p99 {crowd.p99_ms:.0f} ms, {crowd.failed} failed"
            print(f"{READERS} readers beside an ingest, {who}: {figures}{beside}", flush=True)
        under_way.terminate()


def resident(address: str) -> float:
    """Return the resident memory of the service in megabytes, as it says itself."""
    lines = load.once(address, "/metrics").body.decode().splitlines()
    return (
        next(float(line.split()[1]) for line in lines if line.startswith("process_resident_memory_bytes"))
        / 1e6
    )


if __name__ == "__main__":
    main()
