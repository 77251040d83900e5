"""REST at the size of a real run: ten models of 154 steps of ten samples, each route against a bare one.

The rival is a FastAPI of one asynchronous route that has the same bytes ready, in a process of its own as the service
is. ``python -m benchmarks service`` writes results/service.csv for the embedded store and, where there is one, Neo4j:
milliseconds (the median of some seconds of asking), the ratio to the bare route, and what many readers get at once.
A cold curve is the first of its series; "the first of all" comes right after the start.
"""

import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from benchmarks import load
from benchmarks.left_out import SENTENCE, has_neo4j
from benchmarks.long_series import GAP, STEPS, fill, hash_of, name_of
from neuromfa.graph import open_store
from neuromfa.model_id import in_route
from neuromfa.servers.neo4j_assembly import home_folder
from neuromfa.servers.neo4j_server import Neo4jServer

RESULTS = Path(__file__).parent / "results" / "service.csv"
PASSWORD = "neuromfa-bench"
SECONDS, READERS, STARTS = 1.0, 50, 3
SETTLING_S = 20.0
GZIP = {"Accept-Encoding": "gzip"}
ONE, OTHER, THIRD = name_of(0), name_of(1), name_of(2)
SERIES = f"/v1/models/{in_route(ONE)}"
FIRST = f"/v1/models/{in_route(THIRD)}/emergence?limit=200"
COLD = f"/v1/models/{in_route(OTHER)}/emergence?limit=200"
MIDDLE = GAP * (STEPS // 2)
ROUTES = {
    "emergence, all steps": (f"{SERIES}/emergence?limit=200", "at most 40 ms"),
    "emergence, limit=1": (f"{SERIES}/emergence?limit=1", "at most 10 ms"),
    "spectra, all steps": (f"{SERIES}/spectra?limit=200", ""),
    "spectrum of a step": (f"{SERIES}/checkpoints/{MIDDLE}/spectrum", "at most 5 x bare"),
    "metrics of a step": (f"{SERIES}/checkpoints/{MIDDLE}/metrics", "at most 5 x bare"),
    "immutable result": (f"/v1/results/{hash_of(ONE, MIDDLE)}", "at most 1.7 x bare"),
}
SERVE = """
from neuromfa.app.server import run
from neuromfa.app.settings import load_settings
run(load_settings(), ready=lambda address: print(address, flush=True))
"""
BARE = """
import sys, uvicorn
from pathlib import Path
from fastapi import FastAPI, Response
app, folder = FastAPI(), Path(sys.argv[1])
@app.get("/{name}")
async def bare(name: str) -> Response:
    return Response(held[name], media_type="application/json")
held = {path.name: path.read_bytes() for path in folder.iterdir()}
server = uvicorn.Server(uvicorn.Config(app, port=int(sys.argv[2]), log_level="warning"))
print(f"http://127.0.0.1:{sys.argv[2]}", flush=True)
server.run()
"""
Row = tuple[str, str, object, object, object, str]


def main() -> None:
    """Measure both servers and write the table."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for server in (embedded, neo4j_community):
            with server(Path(folder)) as where:
                if where is not None:
                    rows += measure(server.__name__, where, Path(folder))
    with RESULTS.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["server", "what", "figure", "unit", "ratio_to_bare", "goal"])
        writer.writerows(rows)


@contextmanager
def embedded(folder: Path) -> Iterator[Mapping[str, str] | None]:
    """Hold an embedded store with the series in it."""
    with open_store(data_dir=folder / "embedded") as store:
        fill(store)
        yield {"NEUROMFA_DATA_DIR": str(folder / "embedded")}


@contextmanager
def neo4j_community(folder: Path) -> Iterator[Mapping[str, str] | None]:
    """Run a Neo4j with the series in it, where it was assembled."""
    if not has_neo4j():
        print(SENTENCE)
        yield None
        return
    with Neo4jServer(folder / "neo4j", home=home_folder(), password=PASSWORD) as process:
        with open_store(uri=process.uri, user="neo4j", password=PASSWORD) as store:
            fill(store)
        yield {"NEUROMFA_NEO4J_URI": process.uri, "NEUROMFA_NEO4J_PASSWORD": PASSWORD}


def measure(server: str, where: Mapping[str, str], folder: Path) -> list[Row]:
    """Return all figures of one server."""
    rows: list[Row] = []

    def tell(what: str, figure: float, unit: str, ratio: float | None = None, goal: str = "") -> None:
        rows.append((server, what, f"{figure:.4g}", unit, "" if ratio is None else f"{ratio:.2f}", goal))
        print(*rows[-1], sep="  ", flush=True)

    start, least = starting(where), starting_bare(folder / f"{server}-start")
    tell("start, the store running", start, "s", start / least, "at most 1.2 s")
    with ExitStack() as stack:
        address = stack.enter_context(running([sys.executable, "-c", SERVE], where))
        load.once(address, "/v1/models")
        tell("emergence, cold, the first of all", 1000 * load.once(address, FIRST).seconds, "ms")
        tell("emergence, cold", 1000 * load.once(address, COLD).seconds, "ms", goal="at most 150 ms")
        # a server that runs for long has compiled what it is asked all the time; one just started has not
        load.read(address, [ROUTES["emergence, limit=1"][0]], seconds=SETTLING_S)
        answers = {what: load.once(address, path) for what, (path, _) in ROUTES.items()}
        floor = stack.enter_context(bare(folder / server, {k: a.body for k, a in answers.items()}))
        for number, (what, (path, goal)) in enumerate(ROUTES.items()):
            if answers[what].status != 200:
                continue
            against(tell, (address, path), (floor, f"/{number}"), what, goal)
            known = {"If-None-Match": answers[what].headers["etag"]}
            again = load.read(address, [path], seconds=SECONDS, headers=known)
            least = load.read(floor, [f"/{number}"], seconds=SECONDS)
            ratio = again.median_ms / least.median_ms
            tell(f"{what}, 304", again.median_ms, "ms", ratio, "at most 5 x bare")
        many_readers(tell, address, floor)
    return rows


def against(tell, ours: tuple[str, str], rival: tuple[str, str], what: str, goal: str) -> None:  # type: ignore[no-untyped-def]
    """Compare a route with the bare one, in turns."""
    found = [[load.read(at, [path], seconds=SECONDS / 2) for at, path in (ours, rival)] for _ in range(2)]
    full, least = (min(one.median_ms for one in side) for side in zip(*found, strict=True))
    tell(what, full, "ms", full / least, goal)


def many_readers(tell, address: str, floor: str) -> None:  # type: ignore[no-untyped-def]
    """Measure what many readers of a series get, and what a request for a sign of life gets beside them."""
    path = ROUTES["emergence, all steps"][0]
    for what, headers in (("", {}), (", gzip", GZIP)):
        crowd = load.read(address, [path], readers=READERS, seconds=2 * SECONDS, headers=headers)
        least = load.read(floor, ["/0"], readers=READERS, seconds=SECONDS)
        tell(f"{READERS} readers{what}", crowd.rate, "1/s", least.rate / crowd.rate, "at least 300 /s")
        tell(f"{READERS} readers{what}, p99", crowd.p99_ms, "ms", goal="below 400 ms")
    # in a process of its own: here it would keep this one from looking at the clock
    words = [sys.executable, "-m", "benchmarks.load", address, str(READERS), str(3 * SECONDS), COLD, path]
    with subprocess.Popen(words):
        time.sleep(SECONDS)
        alive = load.read(address, ["/healthz"], seconds=SECONDS, pause=0.01)
    tell(f"healthz beside {READERS} readers, p99", alive.p99_ms, "ms")


def starting(where: Mapping[str, str]) -> float:
    """Return the seconds until the service answers, the median of some starts."""
    return statistics.median(
        _seconds(running([sys.executable, "-c", SERVE], where), "/healthz") for _ in range(STARTS)
    )


def starting_bare(folder: Path) -> float:
    """Return the seconds until the rival answers, the median of some starts."""
    folder.mkdir()
    return statistics.median(_seconds(bare(folder / str(k), {"0": b"{}"}), "/0") for k in range(STARTS))


def _seconds(starting: AbstractContextManager[str], path: str) -> float:
    """Return the seconds until a server that is being started answers."""
    begun = time.perf_counter()
    with starting as address:
        load.once(address, path)
        return time.perf_counter() - begun


@contextmanager
def bare(folder: Path, answers: Mapping[str, bytes]) -> Iterator[str]:
    """Run the rival with these answers, each under its number."""
    held = folder.with_name(f"{folder.name}-bare")
    held.mkdir(parents=True)
    for number, body in enumerate(answers.values()):
        (held / str(number)).write_bytes(body)
    with running([sys.executable, "-c", BARE, str(held), str(free_port())], {}) as address:
        wait_for(address)
        yield address


def free_port() -> int:
    """Return a port nobody listens at."""
    from neuromfa.servers.ports import free_ports

    return free_ports(1)[0]


def wait_for(address: str) -> None:
    """Return once somebody answers."""
    for _ in range(100):
        try:
            load.once(address, "/0")
            return
        except OSError:
            time.sleep(0.05)


@contextmanager
def running(command: list[str], where: Mapping[str, str]) -> Iterator[str]:
    """Run a process that prints its address."""
    environment = os.environ | {"NEUROMFA_PORT": "0"} | dict(where)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=30)


if __name__ == "__main__":
    main()
