"""Who answers: the server by Cypher, or this process by numpy on one columnar read; `auto` follows a measured table.

``python -m benchmarks.bench_queries`` measures it; docs/queries.md shows it, and a test compares the three.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from neuromfa.errors import OptionError

Engine = Literal["cypher", "numpy"]
EngineChoice = Literal["auto", "cypher", "numpy"]


@dataclass(frozen=True)
class Faster:
    """The faster engine for a question.

    Attributes
    ----------
    cold : while the sample has yet to be read
    warm : once its arrays are in memory
    """

    cold: Engine
    warm: Engine


FASTER: Mapping[str, Faster] = {
    "path": Faster(cold="cypher", warm="numpy"),
    "ball": Faster(cold="cypher", warm="numpy"),
    "boxes": Faster(cold="numpy", warm="numpy"),
    "radii": Faster(cold="cypher", warm="numpy"),
    "masses": Faster(cold="cypher", warm="numpy"),
    "strongest": Faster(cold="cypher", warm="numpy"),
    "neurons": Faster(cold="cypher", warm="numpy"),
    "neuron": Faster(cold="cypher", warm="numpy"),
    "drawing": Faster(cold="cypher", warm="numpy"),
    "change": Faster(cold="cypher", warm="numpy"),
    "trajectory": Faster(cold="cypher", warm="numpy"),
    "provenance": Faster(cold="cypher", warm="cypher"),
}


def engine_for(question: str, asked: EngineChoice, *, warm: bool) -> Engine:
    """Return who answers a question.

    Parameters
    ----------
    asked : an engine by name, or ``auto``
    warm : the arrays are in memory

    Raises
    ------
    OptionError : no such engine
    """
    if asked not in get_args(EngineChoice):
        raise OptionError(f"engine is {', '.join(get_args(EngineChoice))}, not {asked!r}")
    if asked != "auto":
        return asked
    return FASTER[question].warm if warm else FASTER[question].cold
