"""Path distances of all sources against scipy's Dijkstra, and box covering, in one process and one run.

``python -m benchmarks.bench_paths`` prints the figures and writes benchmarks/results/paths.csv. The network has the
shape of Pythia-1.4B (24 blocks, 64 neurons a layer), every matrix normal(0, .02); edges beyond T = 150 are in neither
graph. Seconds are CPU time of this process, the best of several runs taken in turn, because machines are shared.

Scipy is measured as one calls it (all sources in one call, indices of each row ascending) and in the fastest form we
found: 64 sources a call, which spares it 1.2 GB of unreached pairs, on rows sorted by distance, as ours are.
"""

import csv
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from neuromfa.mfa.boxes import cover
from neuromfa.mfa.distance import RangeRule
from neuromfa.mfa.minplus import Step, link_steps, sweep
from neuromfa.mfa.multihop import radius_histogram
from neuromfa.mfa.paths import PathGraph, graph_of_edges, path_graph
from neuromfa.mfa.products import Engine
from neuromfa.network import SNIN, FloatArray, Layer, Link, Part, Provenance

TARGET = Path(__file__).parent / "results/paths.csv"
ENGINES: tuple[Engine, ...] = ("numba", "numpy")
BLOCKS, SIZE, STD, T, GAMMA = 24, 64, 0.02, 150.0, 5.0
ROUNDS = 3
# Scipy fills a row of all nodes for every source: 64 at a time are its fastest way and keep its memory small.
SOURCES_AT_A_TIME = 64


def main() -> None:
    """Take all figures, print them and write the file."""
    network = transformer(BLOCKS)
    rows = [*_distances(network), *_memory(network), *_histogram(network), *_boxes()]
    TARGET.parent.mkdir(exist_ok=True)
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("what", "engine", "figure", "unit"))
        writer.writerows(rows)
    print(TARGET.read_text())


Row = tuple[str, str, str, str]


def transformer(n_blocks: int) -> SNIN:
    """Return a network of the shape of a sampled transformer with normal weights."""
    draw = np.random.default_rng(0)
    wiring = np.zeros((SIZE, 3 * SIZE), dtype=np.bool_)
    wiring[:, SIZE:] = True
    wiring[np.arange(SIZE), np.arange(SIZE)] = True
    rows = [("input", SIZE), ("qkv", 3 * SIZE), ("attention", SIZE), ("dense", SIZE), ("mlp", 2 * SIZE)]
    sizes = [(block, row, size) for block in range(n_blocks) for row, size in rows] + [
        (n_blocks, "output", SIZE)
    ]
    layers = tuple(Layer(block, row, (Part(row, np.arange(size)),)) for block, row, size in sizes)
    artificial = tuple(layer.row == "qkv" for layer in layers[:-1])
    links = tuple(
        Link("wiring", wiring=wiring)
        if wired
        else Link("matrix", draw.normal(0.0, STD, (layers[k + 1].size, layers[k].size)))
        for k, wired in enumerate(artificial)
    )
    provenance = Provenance("synthetic", None, "", "gpt_neox", "", "float64", 0, SIZE, "exact")
    return SNIN(layers, links, artificial, provenance)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one run."""
    start = time.process_time()
    work()
    return time.process_time() - start


def walk(steps: list[Step], engine: Engine, gamma: float) -> None:
    """Compute the distances of all sources to all layers, holding one layer at a time."""
    for _ in sweep(steps, gamma=gamma, longest=T, engine=engine):
        pass


def _distances(network: SNIN) -> Iterator[Row]:
    """Yield seconds and ratios, with gamma 5 and 0, against scipy in one call and in its fastest form."""
    steps = list(link_steps(network, scale=1.0, max_distance=T))
    graph = path_graph(network, max_distance=T)
    n_nodes = graph.n
    yield "neurons and edges of the layered graph", "-", f"{n_nodes} / {graph.target.size}", "count"
    for gamma in (GAMMA, 0.0):
        nearest_first = csr_array(
            (graph.distance + gamma, graph.target, graph.start), shape=(n_nodes, n_nodes)
        )
        matrix = nearest_first.sorted_indices()
        runs: dict[str, Callable[[], object]] = {
            "scipy, one call": partial(dijkstra, matrix, limit=T + gamma),
            "scipy, 64 sources a call": partial(_dijkstra_in_turns, matrix, gamma),
            "scipy, 64 sources a call, rows by distance": partial(_dijkstra_in_turns, nearest_first, gamma),
            **{engine: partial(walk, steps, engine, gamma) for engine in ENGINES},
        }
        walk(steps, "numba", gamma)
        best = dict.fromkeys(runs, np.inf)
        for _ in range(ROUNDS):
            for name, work in runs.items():
                best[name] = min(best[name], cpu_seconds(work))
        what = f"all-source distances, gamma {gamma:g}"
        yield from ((what, name, f"{seconds:.3f}", "s") for name, seconds in best.items())
        for engine in ENGINES:
            for name in runs:
                if name.startswith("scipy"):
                    yield f"{what}: times faster than {name}", engine, f"{best[name] / best[engine]:.1f}", "x"
        yield (
            f"{what}: largest difference from scipy",
            "numba",
            f"{_difference(steps, matrix, gamma):.1e}",
            "relative",
        )


def _dijkstra_in_turns(matrix: csr_array, gamma: float) -> None:
    for first in range(0, matrix.shape[0], SOURCES_AT_A_TIME):
        sources = np.arange(first, min(first + SOURCES_AT_A_TIME, matrix.shape[0]))
        dijkstra(matrix, limit=T + gamma, indices=sources)


def _difference(steps: list[Step], matrix: csr_array, gamma: float) -> float:
    """Return the largest relative difference over all pairs; both must reach the same ones."""
    ours: dict[int, list[tuple[int, FloatArray]]] = {}
    start = 0
    for step, reached in zip(steps, sweep(steps, gamma=gamma, longest=T), strict=True):
        start += step.shape[0] if isinstance(step, np.ndarray) else step.n_source
        for source, row in zip(reached.sources.tolist(), reached.distances, strict=True):
            ours.setdefault(source, []).append((start, row.copy()))
    worst = 0.0
    for source, parts in ours.items():
        theirs = dijkstra(matrix, limit=(T + gamma) * (1.0 + 1e-9), indices=source) - gamma
        theirs[theirs > T * (1.0 + 1e-12)] = np.inf
        mine = np.full(matrix.shape[0], np.inf)
        for first, row in parts:
            mine[first : first + row.size] = row
        theirs[source] = np.inf
        if not np.array_equal(mine < np.inf, theirs < np.inf):
            raise AssertionError(f"neuron {source} reaches others than scipy says")
        finite = mine < np.inf
        worst = max(worst, float(np.max(np.abs(mine[finite] / theirs[finite] - 1.0), initial=0.0)))
    return worst


def _memory(network: SNIN) -> Iterator[Row]:
    """Yield the most that Python and numpy hold at once, over what the network itself takes."""
    for engine in ENGINES:
        tracemalloc.start()
        walk(link_steps(network, scale=1.0, max_distance=T), engine, GAMMA)  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        yield "all-source distances, gamma 5: memory", engine, f"{peak / 1e6:.0f}", "MB"


def _histogram(network: SNIN) -> Iterator[Row]:
    """Yield the time from weights to radius counts of multi-hop NeuroMFA."""
    rule = RangeRule(longest=T)
    for engine in ENGINES:
        work = partial(radius_histogram, network, gamma=GAMMA, rule=rule, engine=engine)
        seconds = min(cpu_seconds(work) for _ in range(ROUNDS))
        yield "weights to multi-hop radius counts", engine, f"{seconds:.3f}", "s"


def _boxes() -> Iterator[Row]:
    """Yield the time of MEMB on graphs of about 10,000 nodes, balls included."""
    cover(flower(2), radius=1.0, gamma=0.0, engine="numba")
    graphs = {
        "(2,2)-flower, hops": (flower(7), (1.0, 4.0, 8.0), 0.0),
        "Watts-Strogatz k 4 p .1, hops": (small_world(10_000), (1.0, 2.0, 4.0), 0.0),
        "sample of 20 blocks, gamma 5": (
            path_graph(transformer(20), max_distance=T, undirected=True),
            (10.0, 30.0, 60.0),
            GAMMA,
        ),
    }
    for name, (graph, radii, gamma) in graphs.items():
        for radius in radii:
            for engine in ENGINES:
                seconds, n_boxes = _memb(graph, radius, gamma, engine)
                what = f"MEMB of {name}, {graph.n} nodes, r = {radius:g}, {n_boxes} boxes"
                yield what, engine, f"{seconds:.2f}", "s"


def _memb(graph: PathGraph, radius: float, gamma: float, engine: Engine) -> tuple[float, int]:
    start = time.process_time()
    covering = cover(graph, radius=radius, gamma=gamma, engine=engine)
    return time.process_time() - start, covering.n_boxes


def flower(generation: int) -> PathGraph:
    """Return the (2,2)-flower."""
    edges, n = np.array([[0, 1]]), 2
    for _ in range(generation):
        middle = n + np.arange(2 * len(edges)).reshape(-1, 2)
        n += middle.size
        halves = [np.stack([edges[:, end], middle[:, way]], axis=1) for way in (0, 1) for end in (0, 1)]
        edges = np.concatenate(halves)
    return graph_of_edges(edges[:, 0], edges[:, 1], np.ones(len(edges)), n=n)


def small_world(n: int) -> PathGraph:
    """Return a ring in which everyone knows the next two, one edge in ten rewired."""
    draw = np.random.default_rng(0)
    source = np.tile(np.arange(n), 2)
    target = np.concatenate([(np.arange(n) + 1) % n, (np.arange(n) + 2) % n])
    target = np.where(draw.random(target.size) < 0.1, draw.integers(0, n, target.size), target)
    real = source != target
    return graph_of_edges(source[real], target[real], np.ones(int(real.sum())), n=n)


if __name__ == "__main__":
    main()
