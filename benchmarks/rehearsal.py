"""A long series brought into a Neo4j by several workers while one of them and the database are killed, and its cost.

``python -m benchmarks.rehearsal`` makes a series of the shape of Pythia-70M on the spot, three of whose steps are
broken, queues it over REST, and works on it with two workers and a third one that measures on a Dask worker. On the
way the first worker and the database are killed twice each and started again. It ends with an error unless every good
step is stored once, the broken ones are named and nothing is left half written. Figures go to
benchmarks/results/rehearsal.csv, the memory of every process over time to rehearsal_memory.csv beside it.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from neuromfa.graph import GraphStore, open_store
from neuromfa.servers.neo4j_assembly import home_folder
from neuromfa.servers.neo4j_server import Neo4jServer
from neuromfa.servers.ports import LOOPBACK, accepts, free_ports

RESULTS = Path(__file__).parent / "results"
BLOCKS, HEADS = 6, 8
PASSWORD = "rehearsal-of-a-job"
MODEL = "rehearsal"
LOOK_S = 1.0
KILLS = ((0.2, "worker 1"), (0.35, "neo4j"), (0.55, "worker 1"), (0.7, "neo4j"))
"""At which share of the steps what is killed."""


@dataclass(frozen=True)
class Shape:
    """Size of the series: steps, width of the model, and how it is measured."""

    steps: int
    hidden: int
    samples: int
    nodes: int


def write_series(root: Path, shape: Shape) -> set[int]:
    """Write steps 0, 1000, 2000 ... in half precision, three of them broken; return these."""
    broken = {1000 * round(shape.steps * share) for share in (0.25, 0.5, 0.75)}
    start = _tensors(np.random.default_rng(0), shape.hidden)
    change = _tensors(np.random.default_rng(1), shape.hidden)
    for number in range(shape.steps):
        drift = np.float16(number / shape.steps)
        step = 1000 * number
        folder = root / f"step{step}"
        weights = {name: start[name] + drift * change[name] for name in start}
        _write(folder, weights, shape.hidden)
        if step in broken:
            _break(folder / "model.safetensors", sorted(broken).index(step))
    return broken


def _tensors(random: np.random.Generator, hidden: int) -> dict[str, np.ndarray]:
    shapes = {
        "attention.query_key_value.weight": (3 * hidden, hidden),
        "attention.dense.weight": (hidden, hidden),
        "mlp.dense_h_to_4h.weight": (4 * hidden, hidden),
        "mlp.dense_4h_to_h.weight": (hidden, 4 * hidden),
    }
    return {
        f"gpt_neox.layers.{block}.{name}": (0.1 * random.standard_t(3, size)).astype(np.float16)
        for block in range(BLOCKS)
        for name, size in shapes.items()
    }


def _write(folder: Path, weights: dict[str, np.ndarray], hidden: int) -> None:
    """Write a checkpoint as safetensors: length of the header, header, numbers."""
    header, place = {}, 0
    for name, array in weights.items():
        header[name] = {
            "dtype": "F16",
            "shape": array.shape,
            "data_offsets": [place, place := place + array.nbytes],
        }
    text = json.dumps(header).encode()
    folder.mkdir(parents=True)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in weights.values():
            file.write(array.tobytes())
    config = {
        "model_type": "gpt_neox",
        "hidden_size": hidden,
        "num_hidden_layers": BLOCKS,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * hidden,
    }
    (folder / "config.json").write_text(json.dumps(config))


def _break(weights: Path, how: int) -> None:
    """Cut a file in half, spoil its header, or leave nothing of it."""
    size = weights.stat().st_size
    if how == 1:
        with weights.open("r+b") as file:
            file.write(b"\xff" * 64)
    else:
        os.truncate(weights, size // 2 if how == 0 else 0)


@dataclass
class Watched:
    """The processes of a rehearsal by name, and their memory over time."""

    environment: dict[str, str]
    log: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    memory: list[tuple[float, str, int]] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def start(self, name: str, *words: object) -> None:
        """Start a process of this installation."""
        with (self.log / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, *map(str, words)], env=self.environment, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """Kill a process with signal 9."""
        self.running[name].kill()
        self.running[name].wait()

    def look(self, more: dict[str, int | None]) -> None:
        """Note the memory of every process, and of others by their numbers."""
        pids = {name: process.pid for name, process in self.running.items()} | more
        for name, pid in pids.items():
            if pid is not None and (resident := _resident(pid)):
                self.memory.append((round(time.monotonic() - self.begun, 1), name, resident))


def _resident(pid: int) -> int:
    """Return the resident bytes of a process and of those it started; 0 of one that is gone."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident(int(child)) for child in children)


@contextmanager
def looked_at(watched: Watched, more: Callable[[], dict[str, int | None]]) -> Iterator[None]:
    """Look at the memory of all processes every few seconds."""
    over = Event()

    def look() -> None:
        while not over.wait(2 * LOOK_S):
            watched.look(more())

    thread = Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def ask(address: str, path: str, body: Any = None) -> Any:
    """Ask the service, patiently: it cannot answer while the database is away."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json"})  # noqa: S310
    for _ in range(120):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return json.load(answer)
        except OSError:
            time.sleep(LOOK_S)
    raise TimeoutError(f"{address}{path} does not answer")


def started(watched: Watched, folder: Path) -> tuple[str, str]:
    """Start service, workers and a small cluster; return the addresses of service and scheduler."""
    port, dask, board = free_ports(3)
    watched.start("serve", "-m", "neuromfa", "serve", "--port", port)
    watched.start(
        "scheduler",
        *("-m", "distributed.cli.dask_scheduler", "--host", LOOPBACK, "--port", dask),
        *("--no-dashboard", "--dashboard-address", f":{board}"),
    )
    while not accepts(dask):
        time.sleep(LOOK_S / 5)
    scheduler = f"tcp://{LOOPBACK}:{dask}"
    watched.start(
        "dask worker",
        *("-m", "distributed.cli.dask_worker", scheduler, "--nthreads", 1, "--no-nanny", "--no-dashboard"),
        *("--local-directory", folder),
    )
    for name in ("worker 1", "worker 2"):
        watched.start(name, "-m", "neuromfa", "worker")
    watched.start("worker 3 (dask)", "-m", "neuromfa", "worker", "--dask", scheduler)
    return f"http://{LOOPBACK}:{port}", scheduler


def disturb(watched: Watched, neo4j: Neo4jServer, what: str) -> None:
    """Kill a worker or the database, and start it again."""
    print(f"{time.monotonic() - watched.begun:7.1f} s  kill -9 of {what}", flush=True)
    if what == "neo4j":
        neo4j.kill()
        neo4j.start()
    else:
        watched.kill(what)
        watched.start(what, "-m", "neuromfa", "worker")


def watched_to_its_end(address: str, id: str, watched: Watched, neo4j: Neo4jServer) -> Any:
    """Follow a job over REST and disturb it on the way; return it as it is at the end."""
    left, told = list(KILLS), -1
    while (job := ask(address, f"/v1/jobs/{id}"))["status"] in ("queued", "running"):
        if job["done"] // 10 != told:
            told = job["done"] // 10
            print(f"{time.monotonic() - watched.begun:7.1f} s  {job['done']} of {job['total']}", flush=True)
        if left and job["total"] and job["done"] >= left[0][0] * job["total"]:
            disturb(watched, neo4j, left.pop(0)[1])
        time.sleep(LOOK_S)
    if left:
        raise SystemExit(f"the job was over before {left} could be killed")
    return job


def every_unit(address: str, id: str) -> list[Any]:
    """Return the units of a job, page by page."""
    found, cursor = [], ""
    while True:
        page = ask(address, f"/v1/jobs/{id}/units?limit=100{cursor}")
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def check(store: GraphStore, units: list[Any], shape: Shape, broken: set[int]) -> None:
    """Compare what is stored with what should be: every good step once and whole, failures named, nothing left."""
    failed = {unit["step"] for unit in units if unit["status"] == "failed"}
    done = {unit["step"] for unit in units if unit["status"] == "done"}
    good = {1000 * number for number in range(shape.steps)} - broken
    counts = store.counts()
    for step in sorted(good):
        store.read_sample(MODEL, step, 0)  # proved by its checksum
    named = all(unit["sentence"] for unit in units if unit["step"] in broken)
    found = (failed, done, counts["samples"], counts["spectra"], named, store.sweep())
    if found != (broken, good, len(good), len(good), True, 0):
        raise SystemExit(f"not what should be there: {found}")


def figures(units: list[Any], wall: float, disk: int, watched: Watched) -> dict[str, object]:
    """Return what it took."""
    most: dict[str, int] = {}
    for _, name, size in watched.memory:
        most[name] = max(most.get(name, 0), size)
    again = sum(unit["attempts"] > 1 for unit in units)
    return {
        "hours": f"{wall / 3600:.3f}",
        "steps": len(units),
        "steps taken more than once": again,
        "GB read": f"{sum(unit['bytes_read'] for unit in units) / 1e9:.2f}",
        "GB of the store, logs among it": f"{disk / 1e9:.2f}",
        **{
            f"seconds to {name}": f"{sum(unit[f'{name}_s'] for unit in units):.0f}"
            for name in ("read", "measure", "write")
        },
        **{f"MB of {name} at most": f"{size / 1e6:.0f}" for name, size in sorted(most.items())},
    }


def rehearse(shape: Shape, folder: Path) -> None:
    """Make, disturb, check and write the figures."""
    broken = write_series(folder / "series" / MODEL, shape)
    neo4j = Neo4jServer(folder / "neo4j", home=home_folder(), password=PASSWORD)
    environment = os.environ | {
        "NEUROMFA_NEO4J_URI": neo4j.uri,
        "NEUROMFA_NEO4J_PASSWORD": PASSWORD,
        "NEUROMFA_SOURCES": str(folder / "series"),
        "OMP_NUM_THREADS": "1",
    }
    watched = Watched(environment, folder)
    body = {
        "source": str(folder / "series" / MODEL),
        "options": {"samples": shape.samples, "nodes": shape.nodes, "nulls": False},
    }
    where = {"uri": neo4j.uri, "user": "neo4j", "password": PASSWORD}
    with neo4j, ExitStack() as stack:
        open_store(**where).close()
        address, _ = started(watched, folder)
        stack.callback(lambda: [process.kill() for process in watched.running.values()])
        stack.enter_context(looked_at(watched, lambda: {"neo4j": neo4j.pid}))
        id = ask(address, "/v1/jobs", body)["id"]
        begun = time.monotonic()
        watched_to_its_end(address, id, watched, neo4j)
        wall, units = time.monotonic() - begun, every_unit(address, id)
        with open_store(**where) as store:
            check(store, units, shape, broken)
        disk = sum(path.stat().st_size for path in (folder / "neo4j").rglob("*") if path.is_file())
    for unit in units:
        if unit["status"] == "failed":
            print(f"step {unit['step']}: {unit['sentence']}")
    report(figures(units, wall, disk, watched), shape, watched)


def report(found: dict[str, object], shape: Shape, watched: Watched) -> None:
    """Write the figures and the memory over time."""
    with (RESULTS / "rehearsal.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("what", "figure"))
        writer.writerows({"shape": str(shape), **found}.items())
    with (RESULTS / "rehearsal_memory.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("s", "process", "MB"))
        # every fifth, which meets each of the processes in turn
        writer.writerows((moment, name, round(size / 1e6)) for moment, name, size in watched.memory[::5])
    print((RESULTS / "rehearsal.csv").read_text())


def main() -> None:
    """Rehearse at the size the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=154)
    parser.add_argument("--hidden", type=int, default=512, help="width of the model; Pythia-70M has 512")
    parser.add_argument("--samples", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=64)
    shape = Shape(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        rehearse(shape, Path(folder))


if __name__ == "__main__":
    main()
