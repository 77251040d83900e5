"""Every question and every saved query on models of many kinds, on both servers: true answers, whatever the rows are.

A block has five rows in GPT-NeoX and BERT, six in Llama, whose heads share keys and values, and in Mixtral, of which a
seed draws one expert a block, three in Mamba, one in an MLP or a ResNet.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from neuromfa.app.neo4j_browser.queries import saved_queries
from neuromfa.errors import OptionError
from neuromfa.exports import to_networkx
from neuromfa.graph import GraphStore
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.network import SampleGraph
from neuromfa.options import AnalysisOptions
from neuromfa.questions import (
    QUESTIONS,
    Ball,
    BoxCover,
    Departures,
    Explorer,
    LayerChange,
    LayerLink,
    LayerMasses,
    LayerRadii,
    Lineage,
    NeuronDetail,
    NeuronList,
    NeuronTrajectory,
    ShortestPath,
    StrongestEdges,
    Subgraph,
    ask,
)
from tests.data import families
from tests.integration.conftest import SERVERS

TINY = Path(__file__).parents[1] / "data" / "tiny"
PLAIN = ["input", "qkv", "attention", "dense", "mlp"]
FIRST_BLOCK = {
    "gpt_neox": PLAIN,
    "bert": PLAIN,
    "llama": ["input", "qkv", "attention", "dense", "gated", "mlp"],
    "mixtral": ["input", "qkv", "attention", "dense", "gated", "mlp"],
    "mamba": ["input", "gated", "mixed"],
    "deepseek_v2": ["input", "latent", "kv", "attention", "dense", "gated", "mlp"],
    "mlp": ["input"],
    "resnet": ["input"],
}
NAMES = {"deepseek_v2": "deepseek"}
BEFORE, AFTER = 0, 8
RANGE, GAMMA = 150.0, 5.0
OPTIONS = AnalysisOptions(nodes=9, samples=2, min_edges=1, nulls=False)

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

    @property
    def block(self) -> list[int]:
        """Layers of the first block."""
        return list(range(len(FIRST_BLOCK[self.family])))

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
    draw = np.random.default_rng(5)
    tensors, config = tiny_model(family)
    for step, spread in ((BEFORE, 0.15), (AFTER, 0.3)):
        where = folder / family / f"step{step}"
        where.mkdir(parents=True)
        weights = {
            name: draw.normal(0, spread, tensor.shape).astype(np.float32) for name, tensor in tensors.items()
        }
        save_file(weights, where / "model.safetensors")
        if config is not None:
            (where / "config.json").write_text(config)
    return folder / family


def tiny_model(family: str) -> tuple[dict[str, np.ndarray], str | None]:
    """Tensors and config.json of a tiny model, kept whole or recorded."""
    if family in families.NAMES:
        record = families.load(family)
        return record.tensors, json.dumps(record.config)
    config = TINY / family / "config.json"
    return load_file(TINY / family / "model.safetensors"), config.read_text() if config.exists() else None


@pytest.fixture(scope="module", params=SERVERS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    """A store on each server with all five models."""
    server = request.getfixturevalue(f"{request.param}_server")
    folder = tmp_path_factory.mktemp("families")
    with server.open() as store:
        for family in FIRST_BLOCK:
            ingest(IngestRequest(source=str(made_series(family, folder)), options=OPTIONS), store)
        yield store


@pytest.fixture(params=FIRST_BLOCK)
def case(request: pytest.FixtureRequest, filled: GraphStore) -> Case:
    return Case(request.param, filled)


# questions


def check_neurons(case: Case) -> None:
    items = case.put(NeuronList(limit=1000)).items
    assert [one.name for one in items] == [name for layer in case.graph.layers for name in layer.names()]
    assert len({one.name for one in items}) == len(items)
    first = [one.row for one in items if one.block == 0]
    assert list(dict.fromkeys(first)) == FIRST_BLOCK[case.family]


def check_neuron(case: Case) -> None:
    answer = case.put(NeuronDetail(name=case.source))
    mine = [edge for edge in near(edges_from(case.graph, [0])) if edge[0] == case.source]
    assert (answer.edges_in, answer.edges_out) == (0, len(mine))
    assert [edge.target for edge in answer.strongest_out] == [edge[1] for edge in mine[:10]]


def check_strongest(case: Case) -> None:
    answer = case.put(StrongestEdges(top=7))
    all_edges = edges_from(case.graph, list(range(len(case.graph.edges))))
    assert [(edge.source, edge.target) for edge in answer.edges] == [edge[:2] for edge in all_edges[:7]]


def check_drawing(case: Case) -> None:
    """Without a word it shows the first block, however many rows that has."""
    answer = case.put(Subgraph())
    assert (answer.first_layer, answer.last_layer) == (0, len(case.block))
    wanted = {edge[:2] for layer in case.block for edge in edges_from(case.graph, [layer])[:30]}
    assert {(edge.source, edge.target) for edge in answer.edges if edge.weight is not None} == wanted
    wired = any(case.graph.artificial[layer] for layer in case.block)
    assert wired == any(edge.weight is None for edge in answer.edges)


def check_link(case: Case) -> None:
    answer = case.put(LayerLink(layer=0))
    here, after = case.graph.layers[:2]
    assert answer.pairs == here.size * after.size
    assert answer.edges == len(near(edges_from(case.graph, [0])))


def check_radii(case: Case) -> None:
    answer = case.put(LayerRadii(layer=0))
    distances = [edge[2] for edge in near(edges_from(case.graph, [0]))]
    radii, edges = np.unique(np.maximum(1, np.rint(distances)), return_counts=True)
    assert (list(answer.radii), list(answer.edges)) == (radii.tolist(), edges.tolist())


def check_masses(case: Case) -> None:
    answer = case.put(LayerMasses(layer=0))
    edges = near(edges_from(case.graph, [0]))
    degrees = [sum(edge[0] == name for edge in edges) for name in answer.names]
    assert answer.names == tuple(case.graph.layers[0].names())
    assert [masses[-1] for masses in answer.masses] == [1 + degree for degree in degrees]


def check_path(case: Case) -> None:
    answer = case.put(ShortestPath(source=case.source, target=case.target))
    assert answer.distance == pytest.approx(case.lengths(case.source)[case.target], rel=1e-9)
    assert len(answer.edges) == len(case.block)


def check_ball(case: Case) -> None:
    answer = case.put(Ball(source=case.source, limit=None))
    wanted = case.lengths(case.source)
    assert answer.size == len(wanted)
    assert {one.name: one.distance for one in answer.members} == pytest.approx(wanted, rel=1e-9)


def check_boxes(case: Case) -> None:
    """Every neuron of the first block stands in one box."""
    last = len(case.block)
    answer = case.put(BoxCover(radius=30.0, last_layer=last, limit=None))
    boxed = [name for box in answer.boxes for name in box.neurons]
    assert sorted(boxed) == sorted(name for layer in case.graph.layers[: last + 1] for name in layer.names())
    assert answer.n_boxes < answer.n_neurons == len(boxed)


def check_change(case: Case) -> None:
    answer = case.put(LayerChange(layer=0), to=case.explorer.pair(case.family, BEFORE, AFTER))
    changes: dict[tuple[str, str], float] = {}
    for sign, graph in ((-1, case.earlier), (1, case.graph)):
        for source, target, _, weight in near(edges_from(graph, [0])):
            changes[source, target] = changes.get((source, target), 0.0) + sign * weight
    largest = sorted(map(abs, changes.values()), reverse=True)[:20]
    assert [abs(one.change) for one in answer.largest] == pytest.approx(largest)


def check_departures(case: Case) -> None:
    """Of neurons that were not tested against chance nothing is said, but that."""
    with pytest.raises(OptionError, match="were not tested against chance"):
        case.put(Departures())


def check_trajectory(case: Case) -> None:
    answer = case.put(NeuronTrajectory(neuron=case.source), to=case.explorer.series(case.family))
    assert [point.step for point in answer.points] == [BEFORE, AFTER]
    for point, graph in zip(answer.points, (case.earlier, case.graph), strict=True):
        mine = [edge for edge in near(edges_from(graph, [0])) if edge[0] == case.source]
        assert (point.edges_in, point.edges_out) == (0, len(mine))


def check_provenance(case: Case) -> None:
    answer = case.put(Lineage(number="alpha0"), to=case.explorer.result(case.family, AFTER))
    assert answer.estimate == case.store.result(case.family, AFTER).alpha0
    assert answer.network is not None
    assert answer.network.architecture == NAMES.get(case.family, case.family)


QUESTION_CHECKS: dict[str, Callable[[Case], None]] = {
    "ball": check_ball,
    "boxes": check_boxes,
    "change": check_change,
    "departures": check_departures,
    "drawing": check_drawing,
    "link": check_link,
    "masses": check_masses,
    "neuron": check_neuron,
    "neurons": check_neurons,
    "path": check_path,
    "provenance": check_provenance,
    "radii": check_radii,
    "strongest": check_strongest,
    "trajectory": check_trajectory,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_answered_truly(case: Case, name: str) -> None:
    QUESTION_CHECKS[name](case)


# saved queries


def see_block_rows(case: Case) -> None:
    rows = case.run("block_rows")
    layers = case.graph.layers
    kinds = {(k, kind): layers[k].kinds.count(kind) for k in case.block for kind in layers[k].kinds}
    assert {(row["layer"], row["kind"]): row["neurons"] for row in rows} == kinds
    for layer in case.block:
        edges = sum(row["edges_in_range"] for row in rows if row["layer"] == layer)
        assert edges == len(near(edges_from(case.graph, [layer])))


def see_dimensions_by_kind(case: Case) -> None:
    assert case.graph.measures is not None
    rows = case.run("dimensions_by_kind")
    dimensions = np.concatenate(case.graph.measures.nfd)
    assert sum(row["kept"] for row in rows) == np.count_nonzero(~np.isnan(dimensions)) > 0
    assert max(row["highest"] for row in rows) == pytest.approx(np.nanmax(dimensions), abs=6e-5)


def see_distances(case: Case) -> None:
    rows = case.run("distances")
    assert sum(row["edges"] for row in rows) == len(near(edges_from(case.graph, [0])))


def see_emergence(case: Case) -> None:
    rows = case.run("emergence")
    assert [row["step"] for row in rows] == [BEFORE, AFTER]
    assert rows[1]["alpha0"] == pytest.approx(case.store.result(case.family, AFTER).alpha0.value, abs=6e-5)


def see_flags_and_nulls(case: Case) -> None:
    row = case.run("flags_and_nulls")[1]
    result = case.store.result(case.family, AFTER)
    assert (row["neurons_kept"], row["neurons"]) == (result.coverage.nodes.kept, result.coverage.nodes.total)
    assert row["flags"] == result.flags


def see_layer_pair_change(case: Case) -> None:
    rows = case.run("layer_pair_change", count=1000)
    edges = {edge[:2] for graph in (case.earlier, case.graph) for edge in edges_from(graph, [0])}
    assert {(row["source"], row["target"]) for row in rows} == edges


def see_layer_pair_steps(case: Case) -> None:
    rows = case.run("layer_pair_steps")
    counts = [len(near(edges_from(graph, [0]))) for graph in (case.earlier, case.graph)]
    assert [row["edges_in_range"] for row in rows] == counts


def see_neighbourhood(case: Case) -> None:
    assert case.graph.measures is not None
    [row] = case.run("neighbourhood")
    dimensions = np.concatenate(case.graph.measures.nfd)
    assert row["dimension"] == pytest.approx(np.nanmax(dimensions), abs=6e-5)
    layer = row["n"]["layer"]
    mine = [edge for edge in edges_from(case.graph, [layer]) if edge[0] == row["neuron"]]
    assert [one["name"] for one in row["targets"]] == [edge[1] for edge in mine[:12]]


def see_neuron_trajectory(case: Case) -> None:
    rows = case.run("neuron_trajectory", name=case.source)
    counts = [
        sum(edge[0] == case.source for edge in near(edges_from(graph, [0])))
        for graph in (case.earlier, case.graph)
    ]
    assert [row["edges_out"] for row in rows] == counts


def see_overview(case: Case) -> None:
    rows = case.run("overview")
    assert [row["c"]["step"] for row in rows] == [BEFORE, AFTER]
    assert all(row["sample"]["seed"] == 0 for row in rows)


def see_provenance(case: Case) -> None:
    facts = {row["what"]: row["value"] for row in case.run("provenance")}
    assert facts["graph (hash of its content)"] == case.graph.graph_hash
    assert facts["architecture"] == NAMES.get(case.family, case.family)
    assert facts["neurons"] == case.graph.n_neurons


def see_spectrum(case: Case) -> None:
    spectrum = case.store.result(case.family, AFTER).spectrum
    assert [row["tau"] for row in case.run("spectrum")] == spectrum.tau


def see_strongest_edges(case: Case) -> None:
    rows = case.run("strongest_edges", count=5)
    wanted = [edge[:2] for layer in case.block for edge in edges_from(case.graph, [layer])[:5]]
    assert [(row["source"], row["target"]) for row in rows] == wanted


def see_strongest_paths(case: Case) -> None:
    """From the first row of a block to the row after its last one."""
    rows = case.run("strongest_paths", count=1000)
    layers = len(case.block) + 1
    ends: dict[str, float] = {}
    for source in case.graph.layers[0].names():
        for name, length in case.lengths(source, layers=layers).items():
            ends[name] = min(length, ends.get(name, length))
    wanted = {name: ends[name] for name in case.graph.layers[layers - 1].names() if name in ends}
    assert {row["path"][-1]: row["distance"] for row in rows} == pytest.approx(wanted, abs=6e-4)
    for row in rows:
        assert len(row["path"]) == layers == len(row["edges"]) + 1
        hops = zip(row["path"], row["path"][1:], strict=False)
        length = sum(case.network.edges[hop]["distance"] for hop in hops) + (layers - 2) * GAMMA
        assert length == pytest.approx(row["distance"], abs=6e-4)


def see_weakest_kept(case: Case) -> None:
    """Rows of the whole block count, none of the next."""
    assert case.graph.measures is not None
    rows = case.run("weakest_kept", count=1000)
    kept = {
        name
        for layer in case.block
        for name, dimension in zip(
            case.graph.layers[layer].names(), case.graph.measures.nfd[layer], strict=True
        )
        if not np.isnan(dimension)
    }
    assert {row["neuron"] for row in rows} == kept
    edges = near(edges_from(case.graph, case.block))
    for row in rows:
        assert row["edges_in_range"] == sum(edge[0] == row["neuron"] for edge in edges)


SAVED_CHECKS: dict[str, Callable[[Case], None]] = {
    "block_rows": see_block_rows,
    "dimensions_by_kind": see_dimensions_by_kind,
    "distances": see_distances,
    "emergence": see_emergence,
    "flags_and_nulls": see_flags_and_nulls,
    "layer_pair_change": see_layer_pair_change,
    "layer_pair_steps": see_layer_pair_steps,
    "neighbourhood": see_neighbourhood,
    "neuron_trajectory": see_neuron_trajectory,
    "overview": see_overview,
    "provenance": see_provenance,
    "spectrum": see_spectrum,
    "strongest_edges": see_strongest_edges,
    "strongest_paths": see_strongest_paths,
    "weakest_kept": see_weakest_kept,
}


@pytest.mark.parametrize("name", saved_queries())
def test_a_saved_query_shows_the_truth(case: Case, name: str) -> None:
    SAVED_CHECKS[name](case)
