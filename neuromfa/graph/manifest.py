"""What a stored sample says of itself: layout, identity, provenance, counts, checksum."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field, PlainSerializer

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import StoreError
from neuromfa.identity import UNVERSIONED_GRAPH
from neuromfa.network import (
    EdgeColumns,
    FloatArray,
    IntArray,
    Layer,
    NeuronMeasures,
    Part,
    Provenance,
    SampleGraph,
)

SAMPLE_BITS = 24
LARGEST_SAMPLE = 1 << SAMPLE_BITS


@dataclass(frozen=True)
class LayerShape:
    """One layer of a stored graph, without its neurons."""

    __pydantic_config__ = DOCUMENTED

    block: int
    """Number of the block, from 0."""
    row: str
    """Name of the row in the architecture file."""
    whole: bool
    """Every unit of the model's row was taken."""
    kinds: Annotated[tuple[tuple[str, int], ...], PlainSerializer(dict, return_type=dict[str, int])]
    """Neurons by kind, in order."""
    edges: int
    """Edges to the next layer; 0 for the last."""
    artificial: bool
    """Those edges are wiring."""

    @property
    def size(self) -> int:
        """Number of neurons."""
        return sum(count for _, count in self.kinds)


def layout_of(graph: SampleGraph) -> tuple[LayerShape, ...]:
    """Return the shapes of all layers."""
    edges = [*(columns.size for columns in graph.edges), 0]
    artificial = [*graph.artificial, False]
    return tuple(
        LayerShape(
            layer.block,
            layer.row,
            layer.whole,
            tuple((part.kind, int(part.units.size)) for part in layer.parts),
            edges[k],
            artificial[k],
        )
        for k, layer in enumerate(graph.layers)
    )


def layout_text(layout: tuple[LayerShape, ...]) -> str:
    """Return the layout as JSON."""
    return json.dumps([list(vars(shape).values()) for shape in layout], separators=(",", ":"))


def layout_from(text: str | None) -> tuple[LayerShape, ...]:
    """Return the layout from its JSON; none where nothing was written yet."""
    return tuple(
        LayerShape(block, row, whole, tuple((kind, count) for kind, count in kinds), edges, artificial)
        for block, row, whole, kinds, edges, artificial in json.loads(text or "[]")
    )


def canonical(columns: EdgeColumns) -> EdgeColumns:
    """Return the edges ordered by source, then target: the order they come back in."""
    order = np.lexsort((columns.target, columns.source))
    if np.array_equal(order, np.arange(order.size)):
        return columns
    return EdgeColumns(
        columns.source[order], columns.target[order], columns.distance[order], columns.weight[order]
    )


def checksum(graph: SampleGraph) -> str:
    """Return the sha256 of layers, edges in canonical order and measures, bit by bit; all NaN are alike."""
    digest = hashlib.sha256()
    for layer in graph.layers:
        digest.update(f"{layer.block} {layer.row} {layer.whole}".encode())
        for part in layer.parts:
            digest.update(part.kind.encode())
            digest.update(part.units.astype("<i8").tobytes())
    for columns in map(canonical, graph.edges):
        for numbers in (columns.source, columns.target):
            digest.update(numbers.astype("<i8").tobytes())
        for values in (columns.distance, columns.weight):
            digest.update(_bits(values))
    for measure in () if graph.measures is None else (graph.measures.nfd, graph.measures.nfd_own):
        for values in measure:
            digest.update(_bits(values))
    return digest.hexdigest()


def _bits(values: FloatArray) -> bytes:
    plain = values.astype("<f8")
    plain[np.isnan(plain)] = np.nan
    return plain.tobytes()


def sample_properties(graph: SampleGraph, *, options_hash: str | None, graph_version: int) -> dict[str, Any]:
    """Return what stands on the Sample node, apart from its id, number and status."""
    source = graph.provenance
    return {
        "seed": source.seed,
        "nodes": source.nodes,
        "architecture": source.architecture,
        "architecture_hash": source.architecture_hash,
        "dtype": source.dtype,
        "row_rule": source.row_rule,
        "max_distance": graph.max_distance,
        "beyond": graph.beyond,
        "n_neurons": graph.n_neurons,
        "n_edges": graph.n_edges,
        "n_layers": len(graph.layers),
        "checksum": checksum(graph),
        "measured": graph.measures is not None,
        "options_hash": options_hash,
        "layout": layout_text(layout_of(graph)),
        "graph_version": graph_version,
        "tested": None,
        "test_draws": None,
    }


@dataclass(frozen=True)
class Manifest:
    """A stored sample as a reader meets it: what it says of itself."""

    __pydantic_config__ = DOCUMENTED

    graph_hash: str
    """Identity by content."""
    number: int
    """Its neurons have keys from number * 2**24 on."""
    model: str
    """Id of the series it was reached through."""
    step: int | None
    """Training step, null for a checkpoint outside any series."""
    revision: str
    """Commit of a hub checkpoint, name of a local step folder."""
    seed: int
    """Seed of the draw of neurons."""
    nodes: int | None
    """S, neurons asked for per layer; null for every neuron."""
    architecture: str
    """Name of the architecture it was read as."""
    architecture_hash: str
    """Identity of how the tensors were read."""
    dtype: str
    """Number format in the checkpoint."""
    row_rule: str
    """Rows of fused tensors: exact, or paper."""
    max_distance: float
    """Edges beyond it were not written; unit 1/|w|."""
    beyond: int
    """How many those are."""
    n_neurons: int
    """Neurons."""
    n_edges: int
    """Edges, wiring included."""
    n_layers: int
    """Layers."""
    checksum: str
    """sha256 of all columns."""
    measured: bool
    """The neurons carry dimensions."""
    options_hash: str | None
    """Of the analysis that gave those dimensions."""
    layout: Annotated[tuple[LayerShape, ...], Field(alias="layers")]
    """The layers."""
    graph_version: int
    """Version of the way graphs are made; 1 for those that say none."""
    tested: str | None = None
    """Options hash of the analysis that tested its neurons against chance; null where none did."""
    test_draws: int | None = None
    """Draws of the null of these tests."""

    @property
    def first_key(self) -> int:
        """Key of neuron 0 of layer 0."""
        return self.number << SAMPLE_BITS

    @property
    def draw(self) -> tuple[int, int | None, str, float]:
        """What a graph is the graph of, at its checkpoint: of the same draw there is one in every version."""
        return self.seed, self.nodes, self.row_rule, self.max_distance

    @property
    def provenance(self) -> Provenance:
        """Where the network was sampled from."""
        return Provenance(
            series=self.model,
            step=self.step,
            revision=self.revision,
            architecture=self.architecture,
            architecture_hash=self.architecture_hash,
            dtype=self.dtype,
            seed=self.seed,
            nodes=self.nodes,
            row_rule=self.row_rule,
        )


def manifest_from(properties: dict[str, Any], *, model: str, step: int | None, revision: str) -> Manifest:
    """Return the manifest from the properties of a Sample node."""
    names = [
        name for name in Manifest.__annotations__ if name not in ("graph_hash", "model", "step", "revision")
    ]
    values: dict[str, Any] = {name: properties.get(name) for name in names}
    values["layout"] = layout_from(properties["layout"])
    values["graph_version"] = values["graph_version"] or UNVERSIONED_GRAPH
    return Manifest(graph_hash=properties["id"], model=model, step=step, revision=revision, **values)


def graph_from(
    manifest: Manifest, units: list[IntArray], edges: list[EdgeColumns], measures: NeuronMeasures | None
) -> SampleGraph:
    """Put a graph together and prove that it is the one that was written.

    Raises
    ------
    StoreError
        The columns are not those the checksum was taken of.
    """
    layers = tuple(_layer(shape, array) for shape, array in zip(manifest.layout, units, strict=True))
    graph = SampleGraph(
        layers=layers,
        edges=tuple(edges),
        artificial=tuple(shape.artificial for shape in manifest.layout[:-1]),
        max_distance=manifest.max_distance,
        beyond=manifest.beyond,
        graph_hash=manifest.graph_hash,
        provenance=manifest.provenance,
        measures=measures if manifest.measured else None,
    )
    if checksum(graph) != manifest.checksum:
        raise StoreError(
            f"sample {manifest.seed} of {manifest.model} at step {manifest.step} does not have the checksum "
            "it was written with; delete it and ingest again"
        )
    return graph


def _layer(shape: LayerShape, units: IntArray) -> Layer:
    bounds = np.cumsum([0, *(count for _, count in shape.kinds)])
    parts = tuple(
        Part(kind, units[first:last])
        for (kind, _), first, last in zip(shape.kinds, bounds[:-1], bounds[1:], strict=True)
    )
    return Layer(shape.block, shape.row, parts, shape.whole)
