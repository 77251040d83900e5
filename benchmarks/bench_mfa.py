"""One-hop multifractal analysis: CPU time from weights in memory to tau, against two rivals in the same run.

``python -m benchmarks.bench_mfa`` prints the figures and writes benchmarks/results/mfa.csv and mfa_growth.csv.
Weights are synthetic, of the shape of Pythia-1.4B: 24 blocks, hidden size 2048, 64 neurons a layer. At its initial
standard deviations two nodes of five are kept; the second network, with wider output weights as after training, keeps
all. Seconds are CPU time of this process, the best of several runs taken in turn, because machines are shared.

The rivals are written for this comparison: `loops` follows the published description word by word in dictionaries and
loops, `powers` is the straightforward numpy version, one array power for every q. Both have to give the same tau.
"""

import csv
import math
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from neuromfa import mfa
from neuromfa.mfa.matrix_measures import singular_values
from neuromfa.network import SNIN, Layer, Link, Part, Provenance
from neuromfa.options import AnalysisOptions

RESULTS = Path(__file__).parent / "results"
BLOCKS, HIDDEN, NODES = 24, 2048, 64
STD_IN, STD_OUT, STD_TRAINED = 0.01398, 0.00184, 0.01398
ROUNDS, SEEDS = 5, 10
EXACT, PAPER = AnalysisOptions(), AnalysisOptions(profile="paper")
WHOLE = AnalysisOptions(nodes=None, samples=1)

Row = tuple[str, str, str, str]
T = TypeVar("T")


def main() -> None:
    """Take all figures, print them and write the files."""
    rows = [*_plain(), *_additions(), *_gram(), *_whole()]
    _write(RESULTS / "mfa.csv", ("what", "case", "figure", "unit"), rows)
    _write(RESULTS / "mfa_growth.csv", ("axis", "size", "nodes", "cpu_ms"), list(_growth()))


def _plain() -> Iterator[Row]:
    for case, std_out in (("initial", STD_OUT), ("all nodes kept", STD_TRAINED)):
        network = synthetic(blocks=BLOCKS, nodes=NODES, std_out=std_out)
        works = {
            "exact": lambda network=network: mfa.measure(network, EXACT).tau,
            "paper": lambda network=network: mfa.measure(network, PAPER).tau,
            "powers": lambda network=network: tau_by_powers(network),
        }
        seconds = best_of(works)
        for profile in ("exact", "paper"):
            yield "weights to tau", f"{profile}, {case}", f"{1e3 * seconds[profile]:.0f}", "CPU ms"
        ratio = seconds["powers"] / seconds["exact"]
        yield "numpy powers / exact", case, f"{ratio:.1f}", "times"
        if case == "initial":
            loops, tau = timed(lambda network=network: tau_by_loops(network))
            require_equal(tau, works["paper"](), works["powers"]())
            yield "dictionaries and loops / exact", case, f"{loops / seconds['exact']:.0f}", "times"


def _additions() -> Iterator[Row]:
    """What stands beside the plain measures of ten seeds, over these measures; the baseline is at hand."""
    networks = [
        synthetic(blocks=BLOCKS, nodes=NODES, std_out=STD_TRAINED, seed=seed) for seed in range(SEEDS)
    ]
    starts = [
        synthetic(blocks=BLOCKS, nodes=NODES, std_out=STD_OUT, seed=100 + seed) for seed in range(SEEDS)
    ]
    shape = EXACT.in_shape

    def paired(views: Sequence[AnalysisOptions], *kinds: mfa.NullKind) -> None:
        for network, start in zip(networks, starts, strict=True):
            mfa.paired_samples(network, views, baseline=start, kinds=kinds)

    works: dict[str, Callable[[], object]] = {
        "plain": lambda: [mfa.measure(network, EXACT) for network in networks],
        "profile shape": lambda: [mfa.measure(network, shape) for network in networks],
        "8 draws of shuffled in two profiles": lambda: paired([EXACT, shape], "shuffled"),
        "gaussian and rescaled in two profiles": lambda: paired([EXACT, shape], "gaussian", "rescaled"),
    }
    seconds = best_of(works, rounds=3)
    for name in list(works)[1:]:
        yield f"{name} / plain", "10 seeds", f"{seconds[name] / seconds['plain']:.2f}", "times"


def _gram() -> Iterator[Row]:
    """Singular values of one matrix of a feed-forward layer: by its Gram matrix, and by a decomposition."""
    weights = np.random.default_rng(0).standard_normal((HIDDEN, 4 * HIDDEN), dtype=np.float32)
    works: dict[str, Callable[[], object]] = {
        "gram": lambda: singular_values(weights),
        "svd": lambda: np.linalg.svd(weights, compute_uv=False),
    }
    seconds = best_of(works, rounds=2)
    case = f"{HIDDEN} x {4 * HIDDEN}"
    yield "singular values by the Gram matrix", case, f"{1e3 * seconds['gram']:.0f}", "CPU ms"
    yield "svd / Gram matrix", case, f"{seconds['svd'] / seconds['gram']:.1f}", "times"


def _whole() -> Iterator[Row]:
    """Measure a whole network in a process of its own, so that peak memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_mfa", "whole"], capture_output=True, text=True, check=True
    )
    seconds, megabytes, nodes, paired, paired_megabytes = done.stdout.split()
    yield "whole network, matrices to tau", f"{nodes} nodes", seconds, "CPU s"
    yield "whole network, peak memory", f"{nodes} nodes", megabytes, "MB"
    yield "whole network, nulls in two profiles", f"{nodes} nodes", paired, "CPU s"
    yield "whole network, peak memory with them", f"{nodes} nodes", paired_megabytes, "MB"


def whole_network() -> None:
    """Print CPU seconds without making matrices, peak memory in MB and nodes of a whole network; then with nulls."""
    network = LazyNetwork(BLOCKS, HIDDEN).network
    making, _ = timed(lambda: sum(1 for _ in network.links))
    seconds, found = timed(lambda: mfa.measure(network, WHOLE))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    paired, _ = timed(lambda: mfa.paired_samples(network, [WHOLE, WHOLE.in_shape]))
    paired_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds - making:.1f} {peak:.0f} {found.nodes_kept} {paired - making:.1f} {paired_peak:.0f}")


def _growth() -> Iterator[tuple[str, int, int, str]]:
    """CPU time along one axis at a time; everything else as at 24 blocks, 64 neurons, 61 moments."""
    for blocks in (6, 12, 24, 48):
        yield _grown("blocks", blocks, synthetic(blocks=blocks, nodes=NODES), EXACT)
    for nodes in (16, 32, 64, 128, 256):
        yield _grown("neurons a layer", nodes, synthetic(blocks=BLOCKS, nodes=nodes), EXACT)
    network = synthetic(blocks=BLOCKS, nodes=NODES)
    for n_q in (21, 61, 201, 401):
        options = replace(EXACT, q=tuple(np.linspace(-3, 3, n_q).round(12).tolist()))
        yield _grown("moments", n_q, network, options)
    for hidden in (256, 512, 1024):
        yield _grown("hidden size, whole", hidden, LazyNetwork(6, hidden).network, WHOLE)


def _grown(axis: str, size: int, network: SNIN, options: AnalysisOptions) -> tuple[str, int, int, str]:
    found = mfa.measure(network, options)
    rounds = 1 if options.nodes is None else 3
    seconds = best_of({"it": lambda: mfa.measure(network, options)}, rounds=rounds)["it"]
    return axis, size, found.nodes_kept, f"{1e3 * seconds:.0f}"


def tau_by_loops(network: SNIN, *, longest: float = 150.0, min_edges: int = 10) -> np.ndarray:
    """The published description in dictionaries and loops: distances, box growing, Z, slopes."""
    boxes: list[Counter[int]] = []
    for link in network.links:
        for weights in () if link.weights is None else link.weights.T.tolist():
            distances = [1 / abs(w) for w in weights if w != 0]
            radii = Counter(round(d) for d in distances if 1 < d <= longest)
            if sum(radii.values()) > min_edges:
                boxes.append(radii)
    observed = sorted({radius for box in boxes for radius in box})
    masses: dict[int, list[float]] = {radius: [] for radius in observed}
    for box in boxes:
        total, reached = 1 + sum(box.values()), 1
        for radius in observed:
            reached += box.get(radius, 0)
            masses[radius].append(reached / total)
    x = [math.log(radius / observed[-1]) for radius in observed]
    taus = []
    for k in range(-30, 31):
        y = [math.log(sum(mass ** (k / 10) for mass in masses[radius])) for radius in observed]
        taus.append(float(np.polyfit(x, y, 1)[0]))
    return np.array(taus)


def tau_by_powers(network: SNIN, *, longest: float = 150.0, min_edges: int = 10) -> np.ndarray:
    """The straightforward numpy version: a histogram a node, one array power for every q."""
    counts = []
    for link in network.links:
        if link.weights is not None:
            distances = 1.0 / np.abs(link.weights.astype(np.float64))
            radii = np.where((distances > 1) & (distances <= longest), np.rint(distances), 0).astype(int)
            counts += [np.bincount(column, minlength=int(longest) + 1) for column in radii.T]
    table = np.array(counts)
    table[:, 0] = 0
    table = table[table.sum(axis=1) > min_edges]
    radii = np.flatnonzero(table.sum(axis=0))
    masses = 1 + np.cumsum(table, axis=1)[:, radii]
    mu = masses / masses[:, -1:]
    log_z = np.array([np.log((mu ** (k / 10)).sum(axis=0)) for k in range(-30, 31)])
    return np.polyfit(np.log(radii / radii[-1]), log_z.T, 1)[0]


def synthetic(*, blocks: int, nodes: int, std_out: float = STD_TRAINED, seed: int = 0) -> SNIN:
    """A sample of a transformer with normal weights in float32."""
    draw = np.random.default_rng(seed)
    wiring = np.zeros((nodes, 3 * nodes), dtype=np.bool_)
    wiring[:, nodes:] = True
    wiring[np.arange(nodes), np.arange(nodes)] = True
    links: list[Link] = []
    for _ in range(blocks):
        shapes = [(3, 1, STD_IN), (1, 1, std_out), (2, 1, STD_IN), (1, 2, std_out)]
        made = [
            Link("matrix", draw.normal(0.0, std, (a * nodes, b * nodes)).astype(np.float32))
            for a, b, std in shapes
        ]
        links += [made[0], Link("wiring", wiring=wiring), *made[1:]]
    return SNIN(_layers(blocks, nodes, 2), links, _wired(blocks), _provenance(nodes))


@dataclass(frozen=True)
class LazyNetwork(Sequence[Link]):
    """The links of a whole network, each matrix made from one pool of normal numbers when it is asked for."""

    blocks: int
    hidden: int

    @property
    def network(self) -> SNIN:
        """The whole network, feed-forward rows four times as wide as the others."""
        return SNIN(_layers(self.blocks, self.hidden, 4), self, _wired(self.blocks), _provenance(None))

    def __len__(self) -> int:
        return 5 * self.blocks

    def __getitem__(self, k):  # type: ignore[no-untyped-def, override]
        if not 0 <= k < len(self):
            raise IndexError(k)
        hidden, place = self.hidden, k % 5
        if place == 1:
            return Link("wiring", wiring=np.zeros((hidden, 3 * hidden), dtype=np.bool_))
        shape = {0: (3, 1), 2: (1, 1), 3: (4, 1), 4: (1, 4)}[place]
        flat = np.roll(_pool(4 * hidden * hidden)[: shape[0] * shape[1] * hidden**2], 7919 * k)
        return Link("matrix", flat.reshape(shape[0] * hidden, shape[1] * hidden) * np.float32(STD_IN))


_POOLS: dict[int, np.ndarray] = {}


def _pool(size: int) -> np.ndarray:
    if size not in _POOLS:
        _POOLS[size] = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
    return _POOLS[size]


def _layers(blocks: int, nodes: int, mlp: int) -> tuple[Layer, ...]:
    rows = (("input", 1), ("qkv", 3), ("attention", 1), ("dense", 1), ("mlp", mlp))
    made = [
        Layer(block, row, (Part(row, np.arange(times * nodes)),))
        for block in range(blocks)
        for row, times in rows
    ]
    return (*made, Layer(blocks, "output", (Part("output", np.arange(nodes)),)))


def _wired(blocks: int) -> tuple[bool, ...]:
    return (False, True, False, False, False) * blocks


def _provenance(nodes: int | None) -> Provenance:
    return Provenance("synthetic", None, "", "gpt_neox", "", "float32", 0, nodes, "exact")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the CPU time of one run and its answer."""
    start = time.process_time()
    answer = work()
    return time.process_time() - start, answer


def best_of(works: dict[str, Callable[[], object]], *, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the best CPU time of each work, taken in turn."""
    rows = [{name: timed(work)[0] for name, work in works.items()} for _ in range(rounds)]
    return {name: min(row[name] for row in rows) for name in works}


def require_equal(*taus: np.ndarray) -> None:
    """Stop where rivals do not answer the same question."""
    for tau in taus[1:]:
        np.testing.assert_allclose(tau, taus[0], rtol=0, atol=1e-9)


def _write(target: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    target.parent.mkdir(exist_ok=True)
    with target.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(target.read_text())


if __name__ == "__main__":
    whole_network() if sys.argv[1:] == ["whole"] else main()
