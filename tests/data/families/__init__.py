"""Tiny models as the libraries write them: names, shapes and planted numbers; made by `tests.data.make_families`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@dataclass(frozen=True)
class Recorded:
    """A tiny model: its config.json, its tensors, and what the library computes inside its blocks.

    Attributes
    ----------
    architecture : what it is read as
    given : the same, where the user has to say so
    """

    origin: str
    architecture: str
    given: Path | None
    config: dict[str, Any]
    tensors: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]


def load(name: str) -> Recorded:
    """Make a recorded model again."""
    record = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Recorded(
        record["origin"],
        record["architecture"],
        Path(record["architecture"]) if record["named"] else None,
        record["config"],
        {tensor: _tensor(words) for tensor, words in record["tensors"].items()},
        {matrix: matrix_of(words) for matrix, words in record["truth"].items()},
    )


def matrix_of(words: str) -> np.ndarray:
    """Return the planted matrix that `NUMBER ROWS COLUMNS [turned]` stands for, several below or beside."""
    for axis, word in enumerate("&|"):
        if word in words:
            return np.concatenate([matrix_of(part) for part in words.split(word)], axis)
    number, rows, columns, *turned = words.split()
    code = (int(number) << 16) + (_indices(rows)[:, None] << 8) + _indices(columns)
    return (code.T if turned else code).astype(np.float32)


def _tensor(words: str) -> np.ndarray:
    shape, _, rest = words.partition(" ")
    sizes = [int(size) for size in shape.split("x") if size]
    return matrix_of(rest).reshape(sizes) if rest else np.zeros(sizes, np.float32)


def runs_of(indices: Sequence[int] | np.ndarray) -> str:
    """Return indices in words: `0-5,12-17`, and `0-10/2` for every second one."""
    values = [int(value) for value in indices]
    words = []
    while values:
        step = max(1, values[1] - values[0]) if len(values) > 1 else 1
        count = 1
        while count < len(values) and values[count] == values[0] + count * step:
            count += 1
        last = values[count - 1]
        words.append(f"{values[0]}-{last}" + (f"/{step}" if step > 1 else ""))
        values = values[count:]
    return ",".join(words)


def _indices(words: str) -> np.ndarray:
    found = []
    for run in words.split(","):
        ends, _, step = run.partition("/")
        first, last = map(int, ends.split("-"))
        found += range(first, last + 1, int(step or 1))
    return np.array(found, dtype=np.int64)
