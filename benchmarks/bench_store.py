"""What writing, reading and deleting stored graphs costs on both servers, and the disk a relationship takes.

``python -m benchmarks.bench_store`` prints the figures and writes benchmarks/results/store.csv. Writing is compared
with a bare hand-written loop of the layer-list statement against the same server, both in turn, several times; the
ratio of wall times is the figure to look at, because machines are shared. The processor time of the server and of
this process stands beside it, for the same reason.
"""

import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import neo4j
import numpy as np

from benchmarks.left_out import SENTENCE, has_neo4j
from neuromfa.graph import GraphStore, open_store
from neuromfa.graph.manifest import SAMPLE_BITS
from neuromfa.network import EdgeColumns, Layer, Part, Provenance, SampleGraph
from neuromfa.servers.neo4j_assembly import home_folder
from neuromfa.servers.neo4j_server import Neo4jServer

TARGET = Path(__file__).parent / "results/store.csv"
WIDTH, ROUNDS = 64, 3
RATE_BLOCKS, BIG_BLOCKS = 13, 26  # 0.53 and 1.07 million edges
BARE_NUMBER = 1 << 20  # sample numbers of the bare loop, far from those of the store
PASSWORD = "neuromfa-bench"
MODEL = "bench"
ROWS = (("input", ("input",)), ("qkv", ("query", "key", "value")), ("attention", ("attention",)))
ROWS += (("dense", ("dense",)), ("mlp", ("mlp", "mlp")))

BARE_NEURONS = """
UNWIND $rows AS row
CREATE (:Neuron {key: row[0], name: row[1], sample: $sample, layer: $layer, position: row[2], block: $block,
  kind: row[3], index: row[4], nfd: row[5], nfd_own: row[6]})
"""
BARE_EDGES = """
MATCH (a:Neuron {sample: $sample, layer: $layer}) WITH a ORDER BY a.position WITH collect(a) AS A
MATCH (b:Neuron {sample: $sample, layer: $layer + 1}) WITH A, b ORDER BY b.position WITH A, collect(b) AS B
UNWIND range(0, size($s) - 1) AS i
WITH A[$s[i]] AS a, B[$t[i]] AS b, $d[i] AS d, $w[i] AS w
CREATE (a)-[:FEEDS {distance: d, weight: w}]->(b)
"""

Row = tuple[str, str, str, str]


@dataclass(frozen=True)
class Server:
    """A server under test: its name, how the store opens it, its process, its data folder."""

    name: str
    where: dict[str, object]
    pid: Callable[[GraphStore], int]
    folder: Path


@dataclass
class Cost:
    """What something took: seconds of wall time, and processor time of the server and of this process."""

    wall: float = 0.0
    server: float = 0.0
    own: float = 0.0

    @property
    def processor(self) -> float:
        return self.server + self.own


def main() -> None:
    """Measure both servers and write the file; with one of them alone the figures are only printed."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for start in (arcadedb, neo4j_community):
            with start(Path(folder)) as server:
                rows += measure(server) if server else []
            rows += disk(server) if server else []
    if not has_neo4j():
        return
    TARGET.parent.mkdir(exist_ok=True)
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("server", "what", "figure", "unit"))
        writer.writerows(rows)
    print(TARGET.read_text())


@contextmanager
def arcadedb(folder: Path) -> Iterator[Server | None]:
    """Run the embedded server."""
    data = folder / "embedded"
    with open_store(data_dir=data):
        yield Server("ArcadeDB", {"data_dir": data}, lambda store: store._embedded.open().pid, data)


@contextmanager
def neo4j_community(folder: Path) -> Iterator[Server | None]:
    """Run a Neo4j, where it was assembled."""
    if not has_neo4j():
        print(SENTENCE)
        yield None
        return
    with Neo4jServer(folder / "neo4j", home=home_folder(), password=PASSWORD) as process:
        where = {"uri": process.uri, "user": "neo4j", "password": PASSWORD}
        yield Server("Neo4j", where, lambda _: process.pid or 0, process.folder / "data")


def measure(server: Server) -> Iterator[Row]:
    """Yield all figures of one server."""
    with open_store(**server.where) as store:
        store.write_model(MODEL, source="made for the benchmark")
        store.write_checkpoint(MODEL, 0, revision="-")
        parts = (writing(server, store), reading(server, store), memory(server), deleting(server, store))
        for what, figure, unit in chain.from_iterable(parts):
            print(server.name, what, figure, unit, flush=True)
            yield server.name, what, figure, unit


def writing(server: Server, store: GraphStore) -> Iterator[tuple[str, str, str]]:
    """Compare the store's writing with the bare loop; the first round warms the server and does not count."""
    pid = server.pid(store)
    bare, ours = [], []
    for k in range(ROUNDS + 1):
        graph = make_graph(f"rate{k}", blocks=RATE_BLOCKS, seed=k)
        with costs(pid) as cost:
            write_bare(store, graph, BARE_NUMBER + k)
        bare.append(cost)
        with costs(pid) as cost:
            store.write_sample(MODEL, 0, graph)
        ours.append(cost)
    n = graph.n_edges
    pairs = list(zip(bare, ours, strict=True))[1:]
    yield "relationships in a sample", f"{n}", "count"
    yield "bare loop, best", f"{n / min(b.wall for b, _ in pairs):.0f}", "relationships/s"
    yield "store, best", f"{n / min(o.wall for _, o in pairs):.0f}", "relationships/s"
    yield (
        "store / bare loop, wall",
        f"{statistics.median(b.wall / o.wall for b, o in pairs):.2f}",
        "ratio of rates",
    )
    cpu = statistics.median(b.processor / o.processor for b, o in pairs)
    yield "store / bare loop, processor time", f"{cpu:.2f}", "ratio of rates"


def reading(server: Server, store: GraphStore) -> Iterator[tuple[str, str, str]]:
    """Read a million edges as columns."""
    graph = make_graph("big", blocks=BIG_BLOCKS, seed=99)
    store.write_checkpoint(MODEL, 1, revision="-")
    store.write_sample(MODEL, 1, graph)
    taken = []
    for _ in range(3):
        with costs(server.pid(store)) as cost:
            read = store.read_sample(MODEL, 1, 99)
        taken.append(cost)
    assert read.n_edges == graph.n_edges
    best = min(taken, key=lambda cost: cost.wall)
    yield f"columnar read of {graph.n_edges} edges with checksum", f"{best.wall:.2f}", "s"
    yield "its processor time", f"{best.server:.2f} + {best.own:.2f}", "s server + s client"


def memory(server: Server) -> Iterator[tuple[str, str, str]]:
    """Write the big sample in a process of its own and ask that process for its peak."""
    where = {name: str(value) for name, value in server.where.items()}
    code = f"from benchmarks.bench_store import write_big; write_big({where!r}, {BIG_BLOCKS})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, peak = said.stdout.split()
    yield "writer's peak, graph in memory included", peak, "MB"
    yield "of which before writing", before, "MB"


def write_big(where: dict[str, object], blocks: int) -> None:
    """Write a big sample and print the process's peak before and after."""
    graph = make_graph("big-memory", blocks=blocks, seed=98)
    with open_store(**where) as store:
        store.write_checkpoint(MODEL, 2, revision="-")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        store.write_sample(MODEL, 2, graph)
    print(f"{before:.0f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def deleting(server: Server, store: GraphStore) -> Iterator[tuple[str, str, str]]:
    """Delete the big sample while somebody reads another one, and see how long that one waits."""
    waits: list[float] = []
    over = threading.Event()

    def read() -> None:
        with open_store(**server.where, prepare=False) as own:
            while not over.is_set():
                begun = time.perf_counter()
                own.query("sample_neurons", {"sample": own.sample(MODEL, 0, 1).number, "layer": 1})
                waits.append(time.perf_counter() - begun)

    reader = threading.Thread(target=read)
    reader.start()
    begun = time.perf_counter()
    store.delete_sample(MODEL, 1, 99)
    taken = time.perf_counter() - begun
    over.set()
    reader.join()
    yield "deletion of a million edges", f"{taken:.1f}", "s"
    yield "longest wait of a reader meanwhile", f"{max(waits):.2f}", "s"


def write_bare(store: GraphStore, graph: SampleGraph, number: int) -> None:
    """Write a graph with nothing but the driver: one transaction for each layer and each pair of layers."""
    connection = store._connection
    with connection._drivers[0].session(database=connection._database) as session:
        running = number << SAMPLE_BITS
        for k, layer in enumerate(graph.layers):
            columns = zip(layer.names(), layer.kinds, layer.units.tolist(), strict=True)
            rows = [
                [running + i, name, i, kind, unit, 1.0, 1.0] for i, (name, kind, unit) in enumerate(columns)
            ]
            _run(session, BARE_NEURONS, rows=rows, sample=number, layer=k, block=layer.block)
            running += layer.size
        for k, edges in enumerate(graph.edges):
            columns = {"s": edges.source, "t": edges.target, "d": edges.distance, "w": edges.weight}
            lists = {name: column.tolist() for name, column in columns.items()}
            _run(session, BARE_EDGES, **lists, sample=number, layer=k)


def _run(session: neo4j.Session, text: str, **parameters: object) -> None:
    session.execute_write(lambda transaction: transaction.run(text, parameters).consume())


def make_graph(graph_hash: str, *, blocks: int, seed: int) -> SampleGraph:
    """Return a dense graph of the shape of a sampled transformer."""
    rng = np.random.default_rng(seed)
    layers = [_layer(rng, block, row, kinds) for block in range(blocks) for row, kinds in ROWS]
    layers.append(_layer(rng, blocks, "output", ("output",)))
    artificial = tuple(layer.row == "qkv" for layer in layers[:-1])
    pairs = zip(layers[:-1], layers[1:], artificial, strict=True)
    return SampleGraph(
        layers=tuple(layers),
        edges=tuple(_edges(rng, source.size, target.size, wired) for source, target, wired in pairs),
        artificial=artificial,
        max_distance=1e9,
        beyond=0,
        graph_hash=graph_hash,
        provenance=Provenance(MODEL, 0, "-", "gpt-neox", "-", "float16", seed, WIDTH, "exact"),
    )


def _layer(rng: np.random.Generator, block: int, row: str, kinds: tuple[str, ...]) -> Layer:
    parts = (Part(kind, rng.choice(2048, WIDTH, replace=False).astype(np.int64)) for kind in kinds)
    return Layer(block, row, tuple(parts))


def _edges(rng: np.random.Generator, n_source: int, n_target: int, wired: bool) -> EdgeColumns:
    source, target = (axis.ravel() for axis in np.indices((n_source, n_target)))
    if wired:
        present = (source >= n_target) | (source == target)
        source, target = source[present], target[present]
        return EdgeColumns(source, target, np.ones(source.size), np.full(source.size, np.nan))
    weight = rng.normal(0.0, 0.02, source.size)
    return EdgeColumns(source, target, 1.0 / np.abs(weight), weight)


@contextmanager
def costs(pid: int) -> Iterator[Cost]:
    """Measure what the block takes here and in the server's process."""
    cost = Cost()
    begun = time.perf_counter(), _processor(pid), time.process_time()
    yield cost
    ended = time.perf_counter(), _processor(pid), time.process_time()
    cost.wall, cost.server, cost.own = (after - before for before, after in zip(begun, ended, strict=True))


def _processor(pid: int) -> float:
    """Return the processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk(server: Server) -> list[Row]:
    """Return what a relationship takes on disk, with its share of all else, after the server has stopped."""
    written = 2 * (ROUNDS + 1) * edges_of_blocks(RATE_BLOCKS) + 2 * edges_of_blocks(BIG_BLOCKS)
    files = [path for path in server.folder.rglob("*") if path.is_file()]
    logs = [path for path in files if {"transactions", "log"} & set(path.relative_to(server.folder).parts)]
    size = sum(path.stat().st_size for path in set(files) - set(logs))
    return [(server.name, "disk per relationship", f"{size / written:.0f}", "bytes, without logs")]


def edges_of_blocks(blocks: int) -> int:
    """Return how many edges a graph has."""
    return make_graph("-", blocks=blocks, seed=0).n_edges


if __name__ == "__main__":
    main()
