"""Plain measures of the bundled series: means over the 24 matrices of a checkpoint as they are stored."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from evidence.bundled import PLACES, SERIES
from evidence.rates import MATRICES
from neuromfa.mfa.matrix_measures import PlainMeasures, plain_measures
from neuromfa.mfa.nulls import shuffled

MEASURES = ("mp_outliers", "effective_rank", "stable_rank", "kurtosis", "gini_strength")
RANKS = ("effective_rank", "stable_rank")


def rows(places: tuple[tuple[str, int], ...] = PLACES) -> Iterator[dict[str, Any]]:
    """Yield one row a checkpoint: each measure of the weights, and of the same matrices with entries shuffled."""
    for series, step in places:
        arrays = load_file(SERIES / series / f"step{step}" / "model.safetensors")
        matrices = [arrays[name] for name in sorted(arrays) if name.endswith(MATRICES)]
        draw = np.random.default_rng(step)
        real = [_measured(matrix) for matrix in matrices]
        null = [_measured(shuffled(matrix, draw)) for matrix in matrices]
        yield {
            "series": series,
            "step": step,
            "n": len(matrices),
            **{name: {"value": _mean(real, name), "shuffled": _mean(null, name)} for name in MEASURES},
        }


def _measured(matrix: np.ndarray[Any, Any]) -> tuple[PlainMeasures, int]:
    return plain_measures(matrix), min(matrix.shape)


def _mean(found: list[tuple[PlainMeasures, int]], name: str) -> float:
    """Return the mean of a measure; ranks count relative to the smaller side."""
    return float(np.mean([getattr(one, name) / (side if name in RANKS else 1) for one, side in found]))
