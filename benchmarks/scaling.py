"""The arithmetic of docs/scaling.md: ``python -m benchmarks.scaling`` writes its table from shapes and rates."""

import csv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import put_table

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs/scaling.md"
SAMPLED, SEEDS = 64, 10
MILLION = 1e6


@dataclass(frozen=True)
class Shape:
    """A model's shape: hidden size d, feed-forward size, blocks, bytes a weight, and checkpoints of its series."""

    name: str
    hidden: int
    feed_forward: int
    blocks: int
    steps: int
    gated: bool = False
    bytes_each: int = 2

    @property
    def weights(self) -> float:
        """Weights in the matrices the method uses."""
        first = 2 if self.gated else 1
        return self.blocks * self.hidden * (4.0 * self.hidden + (1 + first) * self.feed_forward)

    @property
    def sampled_bytes(self) -> float:
        """Bytes of the rows that one seed draws: S rows of q, k, v, dense and the second matrix, 2S of the first."""
        first = 4 if self.gated else 2
        return self.blocks * SAMPLED * self.bytes_each * ((4.0 + first) * self.hidden + self.feed_forward)

    @property
    def edges(self) -> int:
        """Most relationships of one graph: weighted ones and wiring, none out of range."""
        s = SAMPLED
        first = 4 if self.gated else 2
        weighted = 3 * s * s + s * s + first * s * s + 2 * s * s
        wiring = s * (1 + 2 * s) + (4 * s if self.gated else 0)
        return self.blocks * (weighted + wiring)


SHAPES = (
    Shape("Pythia 70M", 512, 2048, 6, 154),
    Shape("Pythia 410M", 1024, 4096, 24, 154),
    Shape("Pythia 1.4B", 2048, 8192, 24, 154),
    Shape("Pythia 6.9B", 4096, 16384, 32, 154),
    Shape("Pythia 12B", 5120, 20480, 36, 154),
    Shape("Llama shape, 70B", 8192, 28672, 80, 30, gated=True),
)


def main() -> None:
    """Put the table into the page."""
    put_table(PAGE, table())


def table() -> list[str]:
    """Return the lines of the table."""
    names = ("model", "matrices", "read a step, 1 seed", f"{SEEDS} seeds", "relationships a graph")
    names += ("graph on disk", "to write it", "series: read", "series: store, one graph a step")
    rows = [_row(shape) for shape in SHAPES]
    return [f"| {' | '.join(row)} |" for row in (names, ("---",) * len(names), *rows)]


def _row(shape: Shape) -> tuple[str, ...]:
    reading, store = measured("reading.csv"), measured("store.csv")
    pythia = next(each for each in SHAPES if each.name == "Pythia 1.4B")
    # whole pages of the disk and rows in between are read too: as much more as at 1.4B, never more than the file
    one = min(
        shape.sampled_bytes * reading["one seed, bytes read"] * MILLION / pythia.sampled_bytes,
        shape_bytes(shape),
    )
    ten = min(one * reading["ten seeds, bytes read"] / reading["one seed, bytes read"], shape_bytes(shape))
    disk = shape.edges * store["Neo4j disk per relationship"]
    seconds = shape.edges / store["Neo4j store, best"]
    return (
        shape.name, size(shape_bytes(shape)), size(one), size(ten), f"{shape.edges:,}", size(disk),
        f"{seconds:.0f} s", size(ten * shape.steps), f"{size(disk * shape.steps)} ({shape.steps} steps)",
    )  # fmt: skip


def shape_bytes(shape: Shape) -> float:
    """Return the bytes of all matrices the method uses."""
    return shape.weights * shape.bytes_each


def measured(file: str) -> dict[str, float]:
    """Return the figures of a file of results by their words."""
    with (RESULTS / file).open(newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    if file == "store.csv":
        return {f"{server} {what}": float(figure) for server, what, figure, _ in rows if _is_number(figure)}
    return {what: float(value) for what, value, *_ in rows}


def size(n_bytes: float) -> str:
    """Return bytes in words, two digits."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if n_bytes >= unit:
            return f"{n_bytes / unit:.2g} {name}" if n_bytes < 100 * unit else f"{n_bytes / unit:.0f} {name}"
    return f"{n_bytes / 1e3:.0f} kB"


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


if __name__ == "__main__":
    main()
