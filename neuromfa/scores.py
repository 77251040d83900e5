"""Benchmark scores of checkpoints: the record; `score_files` reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from neuromfa.declared import DOCUMENTED


@dataclass(frozen=True)
class Score:
    """What a checkpoint scored on a benchmark."""

    __pydantic_config__ = DOCUMENTED

    step: int | None
    """Training step, null for a checkpoint outside any series."""
    task: str
    """Name of the benchmark."""
    metric: str
    """What was counted, such as acc; its unit is that of the benchmark."""
    value: float
    """The figure, in the unit of the metric."""
    stderr: float | None = None
    """Its standard error in the same unit, null where nobody gave one."""


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
