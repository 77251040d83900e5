"""What answers are made of: neurons and edges; and an answer that is a graph of its own."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from neuromfa.declared import DOCUMENTED
from neuromfa.graph import Manifest
from neuromfa.network import SampleGraph
from neuromfa.questions.engine.words import Dimension, NeuronName, OwnDimension, Weight


@dataclass(frozen=True)
class Neuron:
    """One neuron of a sample."""

    __pydantic_config__ = DOCUMENTED

    name: str
    """Such as `B03.mlp.00127`, the same neuron at every step."""
    layer: int
    """Running number of its layer in the sample."""
    position: int
    """Its place in the layer, the first is 0."""
    block: int
    """Its block of the model."""
    row: str
    """Its row of the block, such as `qkv`."""
    kind: str
    """What it is, such as `key`."""
    index: int
    """Its index in the model's tensor."""
    nfd: Dimension
    nfd_own: OwnDimension


@dataclass(frozen=True)
class Edge:
    """One edge between two neurons."""

    __pydantic_config__ = DOCUMENTED

    source: NeuronName
    target: NeuronName
    distance: float
    """Length of the edge, 1 for wiring; unit 1/|w|."""
    weight: Weight


@dataclass(frozen=True)
class NeuronPlace:
    """Where a neuron stands: its running number over all layers, and its layer."""

    name: str
    number: int
    layer: int


class GraphAnswer(ABC):
    """An answer that is a graph of its own, which other programs can read."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The part it shows, as it stands in the name of a file."""

    @abstractmethod
    def as_graph(self, manifest: Manifest) -> SampleGraph:
        """Return it as a graph; `manifest` is that of the sample it was taken from."""
