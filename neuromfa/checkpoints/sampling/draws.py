"""Draws: which units of every row a seed takes, by the generator of the paper."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromfa.checkpoints.architecture.fitted import FittedRow
from neuromfa.network import IntArray

DRAWS_KEPT = 16


@dataclass(frozen=True, eq=False)
class Draw:
    """The units one seed draws; `units[k]` belong to row k of the fit, indices in the model's row."""

    seed: int
    units: tuple[IntArray, ...]


@dataclass(frozen=True, eq=False)
class Pick:
    """The part of a matrix one seed asks for: int64 indices of target and source units in the expert's tensor."""

    seed: int
    targets: IntArray
    sources: IntArray
    expert: int = 0


# The checkpoints of a series share their draws, and choosing from thousands of units is slow.
@lru_cache(maxsize=DRAWS_KEPT)
def draw_units(rows: tuple[FittedRow, ...], *, nodes: int | None, seed: int) -> Draw:
    """Draw the units of every row with one ``RandomState(seed)``, in the order of the rows (paper).

    Each draw is ``choice(N, min(times * S, N), replace=False)``; rows that share a draw share its units.
    `nodes` None takes all units in order and draws none. Where experts have such a row each, ``choice(experts)`` comes
    first (ours), also for a whole network, and its units stand behind those of the experts before it.
    """
    # The legacy generator is the paper's: its draws must be the same numbers.
    generator = np.random.RandomState(seed)  # noqa: NPY002
    drawn: dict[str, IntArray] = {}
    for row in rows:
        if row.draw in drawn:
            continue
        first = generator.choice(row.experts) * row.size if row.experts > 1 else 0
        if nodes is None:
            units = np.arange(row.size)
        else:
            units = generator.choice(row.size, min(row.times * nodes, row.size), replace=False)
        drawn[row.draw] = _frozen(first + units)
    return Draw(seed, tuple(drawn[row.draw] for row in rows))


def _frozen(units: npt.NDArray[Any]) -> IntArray:
    frozen = units.astype(np.int64)
    frozen.flags.writeable = False
    return frozen
