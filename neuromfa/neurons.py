"""Records of neurons against chance (ours).

Field names are the JSON names of every output, as in `results`, whose records these stand in.
"""

from dataclasses import dataclass, field
from math import isnan
from typing import Literal

from neuromfa.declared import DOCUMENTED
from neuromfa.network import NeuronTests

Measure = Literal["nfd", "strength"]
MEASURES: tuple[Measure, ...] = ("nfd", "strength")
COLUMNS = ("z", "p", "p_adjusted")

LEVEL = 0.05
"""A neuron departs from chance where a p, adjusted over the network, is below it."""


@dataclass(frozen=True, kw_only=True)
class NeuronDeparture:
    """A neuron whose dimension or strength departs from chance."""

    __pydantic_config__ = DOCUMENTED

    name: str
    """Such as B03.mlp.00127, the same neuron at every step."""
    nfd: float | None
    """Node fractal dimension."""
    nfd_z: float | None
    """Its distance from the mean of its null, in standard deviations."""
    nfd_p: float | None
    """Two-sided p, by a generalised Pareto tail where it is small; 1e-12 at least."""
    nfd_p_adjusted: float | None
    """The same over all neurons of the network (Benjamini and Hochberg)."""
    strength: float | None
    """Sum of |w| over all sampled targets."""
    strength_z: float | None
    """As of the dimension."""
    strength_p: float | None
    """As of the dimension."""
    strength_p_adjusted: float | None
    """As of the dimension."""


@dataclass(frozen=True, kw_only=True)
class SampleDepartures:
    """The neurons of one sample against chance."""

    __pydantic_config__ = DOCUMENTED

    seed: int
    """Seed of the sample."""
    tested: int
    """Neurons with a p of either measure."""
    by_nfd: int
    """How many of them depart by their dimension."""
    by_strength: int
    """How many depart by their strength."""
    neurons: list[NeuronDeparture] = field(default_factory=list)
    """Those that depart by either, the smallest p first; left out of curves."""


@dataclass(frozen=True, kw_only=True)
class NeuronChance:
    """Which neurons depart from what shuffled weights of their own matrix give, at one hop."""

    __pydantic_config__ = DOCUMENTED

    draws: int
    """Draws of the null; those of all sources of a matrix form one pool."""
    level: float
    """A neuron departs where a p, adjusted over its network, is below it."""
    samples: list[SampleDepartures]
    """The samples that were tested, each a network of its own."""
    sentence: str
    """How many depart, in words."""


@dataclass(frozen=True, kw_only=True)
class NeuronSince:
    """Since when a neuron has departed from chance, with p controlled over the steps too."""

    __pydantic_config__ = DOCUMENTED

    seed: int
    """Seed of the sample."""
    name: str
    """Name of the neuron."""
    measure: str
    """nfd or strength."""
    since: tuple[int | None, int]
    """The last step at which it does not depart (null where there is none), and the first from which it always does."""


def values_at(tests: NeuronTests, layer: int, place: int) -> dict[str, float | None]:
    """Return value, z, p and adjusted p of both measures of one neuron; None where it was not tested."""
    values: dict[str, float | None] = {}
    for name in MEASURES:
        measure = getattr(tests, name)
        values[name] = _known(measure.value[layer][place])
        for column in COLUMNS:
            values[f"{name}_{column}"] = _known(getattr(measure, column)[layer][place])
    return values


def _known(value: float) -> float | None:
    return None if isnan(value) else float(value)
