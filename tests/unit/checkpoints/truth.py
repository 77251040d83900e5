"""What a library computes with planted weights, beside what a sampled network holds."""

from collections.abc import Mapping

import numpy as np

from neuromfa.network import SNIN, Layer, Part

Truth = Mapping[str, np.ndarray]


def truth_name(part: Part, source: Layer) -> str:
    """What make_tiny.py calls the matrix that feeds a part of a row."""
    if source.row in ("mlp", "mixed"):
        return f"{source.block}.second"
    return f"{source.block}.{'first' if part.kind == 'mlp' else part.kind}"


def expected_weights(network: SNIN, k: int, truth: Truth) -> np.ndarray:
    """Weights of link k, looked up by the units that the layers name."""
    source, target = network.layers[k], network.layers[k + 1]
    rows = [rows_of_tensor(truth, part, source)[part.units][:, source.units] for part in target.parts]
    return np.concatenate(rows)


def rows_of_tensor(truth: Truth, part: Part, source: Layer) -> np.ndarray:
    """The rows that feed a part; those that heads share, the library repeats for each of the heads."""
    rows = truth[truth_name(part, source)]
    if part.kind not in ("key", "value"):
        return rows
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[np.sort(first)]


def expected_wiring(network: SNIN, k: int, truth: Truth, head_size: int) -> np.ndarray:
    """Wiring from row k into attention: a head uses the keys and values whose weights the library gives it."""
    source, row, attention = network.layers[k - 1 : k + 2]
    kinds = row.kinds
    planted = network.links[k - 1].weights
    wired = np.zeros((attention.size, row.size), dtype=bool)
    for i, unit in enumerate(attention.units):
        first = unit // head_size * head_size
        for j, kind in enumerate(kinds):
            used = slice(unit, unit + 1) if kind == "query" else slice(first, first + head_size)
            rows = truth[f"{source.block}.{kind}"][used][:, source.units]
            wired[i, j] = (rows == planted[j]).all(axis=1).any()
    return wired


def weighted(network: SNIN) -> list[int]:
    """Links that carry weights."""
    return [k for k, artificial in enumerate(network.artificial) if not artificial]
