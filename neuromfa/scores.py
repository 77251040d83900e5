"""Benchmark scores of checkpoints: the record; `score_files` reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """What a checkpoint scored on a benchmark; step is None outside a series, stderr where nobody gave one."""

    step: int | None
    task: str
    metric: str
    value: float
    stderr: float | None = None


def by_benchmark(scores: Iterable[Score]) -> Iterator[tuple[str, str, dict[int, float]]]:
    """Yield task, metric and value by step of every benchmark, in the order of first appearance.

    Checkpoints without a step are left out: they are no series.
    """
    tables: dict[tuple[str, str], dict[int, float]] = {}
    for score in scores:
        if score.step is not None:
            tables.setdefault((score.task, score.metric), {})[score.step] = score.value
    for (task, metric), values in tables.items():
        yield task, metric, values
