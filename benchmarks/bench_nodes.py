"""How alpha0, width and E depend on the neurons sampled per layer, up to the whole network, on the bundled series.

``python -m benchmarks.bench_nodes`` writes benchmarks/results/nodes.csv and the table of docs/nodes.md.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.pages import put_table
from neuromfa.analysis import analyze
from neuromfa.checkpoints import open_series
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, Estimate

ROOT = Path(__file__).parents[1]
NODES = (16, 32, 64, 96, 128, None)
STEPS = "0,512,2000"
COLUMNS = ("nodes", "step", "alpha0", "width", "emergence", "emergence_shuffled", "nodes_total", "flags")


def main() -> None:
    """Measure every size and write both files."""
    rows = [row for nodes in NODES for row in _rows(nodes)]
    target = ROOT / "benchmarks/results/nodes.csv"
    target.parent.mkdir(exist_ok=True)
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    _write_table(rows, ROOT / "docs/nodes.md")
    print(target.read_text())


def _rows(nodes: int | None) -> Iterator[dict[str, str]]:
    options = AnalysisOptions(nodes=nodes, samples=10)
    result = analyze(open_series(str(ROOT / "series/stdlib-14m")), options, steps=STEPS)
    return (_row("all" if nodes is None else str(nodes), checkpoint) for checkpoint in result.checkpoints)


def _row(nodes: str, checkpoint: CheckpointResult) -> dict[str, str]:
    shuffled = (checkpoint.nulls or {})["shuffled"].emergence
    return {
        "nodes": nodes,
        "step": str(checkpoint.step),
        "alpha0": _number(checkpoint.alpha0),
        "width": _number(checkpoint.width),
        "emergence": _number(checkpoint.emergence),
        "emergence_shuffled": _number(shuffled),
        "nodes_total": str(checkpoint.samples[0].nodes_total),
        "flags": " ".join(checkpoint.flags),
    }


def _number(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.4f}"
    return f"{estimate.value:.4f} ±{(estimate.high - estimate.low) / 2:.4f}"


def _write_table(rows: list[dict[str, str]], path: Path) -> None:
    head = ["neurons a layer", "step", "alpha0", "width", "E", "E of shuffled null", "neurons measured"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row[column] for column in COLUMNS[:-1]) + " |" for row in rows]
    put_table(path, lines)


if __name__ == "__main__":
    main()
