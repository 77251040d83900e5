"""Tiny models of every kind in a store, and their graphs as numpy and networkx have them."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zlib import crc32

import networkx as nx
import numpy as np
from safetensors.numpy import save_file

from neuromfa.app.neo4j_browser.queries import saved_queries
from neuromfa.checkpoints.architecture.files import bundled
from neuromfa.exports import to_networkx
from neuromfa.graph import GraphStore
from neuromfa.ingest.request import IngestRequest
from neuromfa.network import SampleGraph
from neuromfa.options import AnalysisOptions
from neuromfa.questions import Explorer, ask
from tests.data.models import named, read_as, tiny_model

BEFORE, AFTER = 0, 8
RANGE, GAMMA = 150.0, 5.0

Edge = tuple[str, str, float, float]
"""Source, target, distance, weight."""


@dataclass(frozen=True, eq=False)
class Case:
    """One model in one store, and its graph as numpy and networkx have it."""

    family: str
    store: GraphStore

    @cached_property
    def explorer(self) -> Explorer:
        return Explorer(self.store)

    @cached_property
    def graph(self) -> SampleGraph:
        return self.store.read_sample(self.family, AFTER, 0)

    @cached_property
    def earlier(self) -> SampleGraph:
        return self.store.read_sample(self.family, BEFORE, 0)

    @cached_property
    def network(self) -> "nx.DiGraph":
        return to_networkx(self.graph)

    @cached_property
    def architecture(self) -> str:
        """Name of the file that it is read by."""
        return read_as(self.family)

    @cached_property
    def first_block(self) -> list[str]:
        """Rows of the first block."""
        return first_block(self.architecture)

    @property
    def block(self) -> list[int]:
        """Layers of the first block."""
        return list(range(len(self.first_block)))

    @property
    def source(self) -> str:
        return self.graph.layers[0].names()[0]

    @property
    def target(self) -> str:
        """A neuron of the row after the first block."""
        return self.graph.layers[len(self.block)].names()[-1]

    def lengths(self, source: str, *, layers: int | None = None) -> dict[str, float]:
        """Lengths of the shortest paths within the range, gamma for every further hop included."""
        network = self.network
        if layers is not None:
            network = network.subgraph(
                [name for layer in self.graph.layers[:layers] for name in layer.names()]
            )
        found = nx.single_source_dijkstra_path_length(
            network, source, weight=lambda a, b, edge: edge["distance"] + GAMMA
        )
        reached = {name: length - GAMMA if name != source else 0.0 for name, length in found.items()}
        return {name: length for name, length in reached.items() if length <= RANGE}

    def put(self, question: Any, *, to: Any = None) -> Any:
        """Ask both engines, which must agree, and return the answer of numpy."""
        subject = self.explorer.sample(self.family, AFTER) if to is None else to
        cypher, numpy = (ask(subject, question, engine=engine) for engine in ("cypher", "numpy"))
        assert _rounded(cypher) == _rounded(numpy)
        return numpy

    def run(self, which: str, /, **values: Any) -> list[dict[str, Any]]:
        """Run a saved query on this model."""
        query = saved_queries()[which]
        here = {"model": self.family, "step": AFTER, "before": BEFORE, "after": AFTER, "block": 0, "layer": 0}
        wanted = {
            **query.examples,
            **{key: value for key, value in here.items() if key in query.examples},
            **values,
        }
        rows: list[dict[str, Any]] = self.store.read(
            lambda transaction: transaction.rows_of(query.text, wanted)  # type: ignore[arg-type]
        )
        return rows


def _rounded(value: Any) -> Any:
    """The same with floats to 9 digits: the order of sums is the server's."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return {key: _rounded(one) for key, one in vars(value).items()} if hasattr(value, "__dict__") else value


def edges_from(graph: SampleGraph, layers: list[int]) -> list[Edge]:
    """Weighted edges that leave some layers, the shortest first."""
    found = []
    for layer in layers:
        if not graph.artificial[layer]:
            sources, targets = graph.layers[layer].names(), graph.layers[layer + 1].names()
            columns = graph.edges[layer]
            rows = zip(*(column.tolist() for column in vars(columns).values()), strict=True)
            found += [(sources[a], targets[b], distance, weight) for a, b, distance, weight in rows]
    return sorted(found, key=lambda edge: edge[2])


def near(edges: list[Edge]) -> list[Edge]:
    return [edge for edge in edges if edge[2] <= RANGE]


def made_series(family: str, folder: Path) -> Path:
    """Two steps of a tiny model with random weights, whose distances are in range."""
    draw = np.random.default_rng(crc32(family.encode()))
    tensors, config = tiny_model(family)
    for step, spread in ((BEFORE, 0.15), (AFTER, 0.3)):
        where = folder / family / f"step{step}"
        where.mkdir(parents=True)
        weights = {
            name: draw.normal(0, spread, tensor.shape).astype(np.float32) for name, tensor in tensors.items()
        }
        save_file(weights, where / "model.safetensors")
        if config:
            (where / "config.json").write_text(json.dumps(config))
    return folder / family


def first_block(architecture: str) -> list[str]:
    """Return the rows of a block, as an architecture file has them; every row of a chain is a block."""
    described = bundled(architecture)
    if described.blocks is not None:
        return [row.row for row in described.blocks.rows]
    assert described.chain is not None
    return [described.chain.rows[0]]


def asked(family: str, folder: Path, options: AnalysisOptions) -> IngestRequest:
    """Return what puts a tiny model into a store."""
    source = str(made_series(family, folder))
    return IngestRequest(source=source, options=options, architecture=named(family))
