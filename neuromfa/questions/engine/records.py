"""What answers are made of: neurons, edges, and the place of a neuron in its sample."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Neuron:
    """One neuron of a sample.

    Attributes
    ----------
    name : such as ``B03.mlp.00127``, the same neuron at every step
    layer, position : its place in the sample
    block, row, kind, index : its place in the model
    nfd, nfd_own : node fractal dimensions; None where it has too few edges in range, or none with a weight
    """

    name: str
    layer: int
    position: int
    block: int
    row: str
    kind: str
    index: int
    nfd: float | None
    nfd_own: float | None


@dataclass(frozen=True)
class Edge:
    """One edge between two neurons; `weight` is None for the wiring inside attention."""

    source: str
    target: str
    distance: float
    weight: float | None


@dataclass(frozen=True)
class Place:
    """Where a neuron stands: its running number over all layers, and its layer."""

    name: str
    number: int
    layer: int
