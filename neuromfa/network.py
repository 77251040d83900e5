"""SNIN, the sampled neuron interaction network: the one type that flows through everything.

A network is a list of layers in topological order and one link between each two neighbours. A link either carries
weights (a sampled matrix) or is artificial wiring (inside attention, or from gate and up to the gated unit).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
WeightArray = npt.NDArray[np.floating]

ARTIFICIAL_DISTANCE = 1.0


@dataclass(frozen=True, eq=False)
class Part:
    """Neurons of one kind inside a layer, such as the query rows of attention.

    Attributes
    ----------
    kind : input, query, key, value, qkv, attention, dense, gate, up, mlp, output, or a name of a user's architecture
    units : int64 array of shape (n,), index of each neuron in the model
    """

    kind: str
    units: IntArray


@dataclass(frozen=True, eq=False)
class Layer:
    """One row of the network: what stands in one column of the layered graph.

    Attributes
    ----------
    block : index of the block, from 0; the last output row has the number of blocks
    row : name of the row in the architecture file (input, qkv, attention, dense, mlp, output ...)
    parts : the kinds that make up the row, in order
    whole : True when every unit of the model's row was taken
    """

    block: int
    row: str
    parts: tuple[Part, ...]
    whole: bool = False

    @property
    def size(self) -> int:
        """Number of neurons in the row."""
        return sum(part.units.size for part in self.parts)

    @property
    def kinds(self) -> list[str]:
        """Kind of every neuron, in position order."""
        return [part.kind for part in self.parts for _ in range(part.units.size)]

    @property
    def units(self) -> IntArray:
        """Index in the model of every neuron, shape (size,)."""
        return np.concatenate([part.units for part in self.parts])

    def names(self) -> list[str]:
        """Readable name of every neuron, such as ``B03.mlp.00127``; the same neuron at every step."""
        return [
            f"B{self.block:02d}.{part.kind}.{unit:05d}" for part in self.parts for unit in part.units.tolist()
        ]


@dataclass(frozen=True, eq=False)
class StoredPart:
    """Targets of a link whose weights the model keeps as one matrix, such as the keys of a fused tensor.

    A null permutes and scales each part by itself: what differs between parts is no arrangement.

    Attributes
    ----------
    rows : places of its targets in the link
    share : how much of the part was drawn, from 0 to 1; 1 where nobody says
    """

    rows: slice | IntArray
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Link:
    """All edges between a layer and the next one.

    Exactly one of `weights` and `wiring` is set.

    Attributes
    ----------
    matrix : name of the weight matrix or of the wiring, for reports
    weights : array of shape (n_target, n_source) in the dtype stored (bfloat16 as float32), or None
    wiring : bool array of shape (n_target, n_source), True where an artificial edge of distance 1 stands, or None
    parts : the stored parts of a weighted link; all targets are one part unless it says otherwise
    source_share : how much of the source row was drawn, from 0 to 1
    """

    matrix: str
    weights: WeightArray | None = None
    wiring: BoolArray | None = None
    parts: tuple[StoredPart, ...] = (StoredPart(slice(None)),)
    source_share: float = 1.0

    @property
    def artificial(self) -> bool:
        """True for wiring: such edges never count in any mass at one hop."""
        return self.weights is None


class DerivedLinks(Sequence[Link]):
    """Links made from those of another network when they are asked for, one at a time.

    Parameters
    ----------
    links : of the other network
    make : gives link number `row` from the one that stands there
    """

    def __init__(self, links: Sequence[Link], make: Callable[[int, Link], Link]) -> None:
        self._links, self._make = links, make

    def __len__(self) -> int:
        return len(self._links)

    @overload
    def __getitem__(self, index: int) -> Link: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Link]: ...
    def __getitem__(self, index: int | slice) -> Link | Sequence[Link]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        return self._make(row, self._links[row])


@dataclass(frozen=True)
class Provenance:
    """Where a network was sampled from; enough to do it again.

    Attributes
    ----------
    series, step, revision : the checkpoint; step is None for a checkpoint outside any series
    architecture, architecture_hash : name of the architecture, and identity of how the tensors were read with it
    dtype : dtype stored in the checkpoint, such as float16 (joined by + where several were met)
    seed : seed of the draws
    nodes : neurons asked for per layer; None = every neuron
    row_rule : ``paper`` (fused rows as they stand) or ``exact`` (the layout of the heads)
    """

    series: str
    step: int | None
    revision: str
    architecture: str
    architecture_hash: str
    dtype: str
    seed: int
    nodes: int | None
    row_rule: str


@dataclass(frozen=True, eq=False)
class SNIN:
    """A sampled neuron interaction network.

    Attributes
    ----------
    layers : L + 1 layers in topological order
    links : L links, ``links[k]`` joins ``layers[k]`` to ``layers[k + 1]``; may be a lazy sequence that reads a
        matrix when it is asked for (whole networks), so take each link once and in order
    artificial : L flags, True where the link is wiring; known without reading any weight
    provenance : where it came from
    """

    layers: tuple[Layer, ...]
    links: Sequence[Link]
    artificial: tuple[bool, ...]
    provenance: Provenance

    @property
    def source_layers(self) -> list[int]:
        """Indices of the layers that are sources of a weight matrix: the nodes of the analysis."""
        return [k for k, artificial in enumerate(self.artificial) if not artificial]


@dataclass(frozen=True, eq=False)
class EdgeColumns:
    """The edges of one link as columns: what a store writes and gives back.

    Attributes
    ----------
    source, target : int64 arrays of shape (n_edges,), position in the layer and in the next layer
    distance : float64 array of shape (n_edges,), unit 1/|w|
    weight : float64 array of shape (n_edges,); NaN for artificial edges
    """

    source: IntArray
    target: IntArray
    distance: FloatArray
    weight: FloatArray

    @property
    def size(self) -> int:
        """Number of edges."""
        return int(self.source.size)


@dataclass(frozen=True, eq=False)
class NeuronMeasures:
    """Numbers that stand on neurons, one array per layer, NaN where a neuron has none.

    Attributes
    ----------
    nfd : node fractal dimension over the common radii
    nfd_own : the same over the node's own radii
    """

    nfd: tuple[FloatArray, ...]
    nfd_own: tuple[FloatArray, ...]


@dataclass(frozen=True, eq=False)
class TestedMeasure:
    """A measure of neurons against chance, one array per layer each, NaN where a neuron was not tested.

    Attributes
    ----------
    value : the measure
    z : its distance from the mean of its null, in standard deviations
    p : two-sided
    p_adjusted : the same over all neurons of the network (Benjamini and Hochberg)
    """

    __test__ = False

    value: tuple[FloatArray, ...]
    z: tuple[FloatArray, ...]
    p: tuple[FloatArray, ...]
    p_adjusted: tuple[FloatArray, ...]


@dataclass(frozen=True, eq=False)
class NeuronTests:
    """The neurons of a sample against chance.

    Attributes
    ----------
    nfd, strength : node fractal dimension, and sum of |w| over all sampled targets
    draws : of the null
    """

    nfd: TestedMeasure
    strength: TestedMeasure
    draws: int


@dataclass(frozen=True, eq=False)
class SampleGraph:
    """A network as it stands in a store: layers, edges in range, measures, identity.

    Attributes
    ----------
    layers : L + 1 layers
    edges : L columns, ``edges[k]`` from ``layers[k]`` to ``layers[k + 1]``
    artificial : L flags, True where the link is wiring
    max_distance : edges beyond it were not written
    beyond : number of finite edges that were not written
    graph_hash : identity by content
    provenance : where it came from
    measures : node fractal dimensions, or None
    tests : the neurons against chance, or None
    """

    layers: tuple[Layer, ...]
    edges: tuple[EdgeColumns, ...]
    artificial: tuple[bool, ...]
    max_distance: float
    beyond: int
    graph_hash: str
    provenance: Provenance
    measures: NeuronMeasures | None = field(default=None)
    tests: NeuronTests | None = field(default=None)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return sum(layer.size for layer in self.layers)

    @property
    def n_edges(self) -> int:
        """Number of edges written, artificial ones included."""
        return sum(columns.size for columns in self.edges)
