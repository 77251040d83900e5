"""Every question and every saved query on models of all kinds: true answers, whatever the rows are.

A block has five rows in GPT-NeoX and BERT, six in Llama, whose heads share keys and values, and in Mixtral, of which a
seed draws one expert a block, three in Mamba, one in an MLP or a ResNet. Eight kinds are put through on both servers;
every other model that is kept or recorded goes through all of it on the embedded one.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from neuromfa.app.neo4j_browser.queries import saved_queries
from neuromfa.checkpoints.architecture.files import list_architectures
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from neuromfa.ingest.ingest import ingest
from neuromfa.options import AnalysisOptions
from neuromfa.questions import (
    QUESTIONS,
    Ball,
    BoxCover,
    Departures,
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
)
from tests.data.models import MODELS, read_as
from tests.integration.conftest import SERVERS, Server
from tests.integration.model_cases import (
    AFTER,
    BEFORE,
    GAMMA,
    Case,
    asked,
    edges_from,
    first_block,
    near,
)

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
OPTIONS = AnalysisOptions(nodes=9, samples=2, min_edges=1, nulls=False)
SMALL = AnalysisOptions(nodes=4, samples=1, min_edges=1, nulls=False)


@pytest.fixture(scope="module", params=SERVERS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    """A store on each server with a model of each kind."""
    server = request.getfixturevalue(f"{request.param}_server")
    folder = tmp_path_factory.mktemp("families")
    with server.open() as store:
        for family in FIRST_BLOCK:
            ingest(asked(family, folder, OPTIONS), store)
        yield store


@pytest.fixture(scope="module")
def roomy(embedded_server: Server) -> Iterator[GraphStore]:
    """A store on the embedded server, for all models one after the other."""
    with embedded_server.open() as store:
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
    assert list(dict.fromkeys(first)) == case.first_block


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
    assert answer.network.architecture == case.architecture


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
    assert facts["architecture"] == case.architecture
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


# every model


def test_every_architecture_file_has_a_model() -> None:
    assert {read_as(family) for family in MODELS} == {known.name for known in list_architectures()}


@pytest.mark.parametrize("family", FIRST_BLOCK)
def test_the_first_block_is_what_a_person_counted(family: str) -> None:
    assert first_block(read_as(family)) == FIRST_BLOCK[family]


@pytest.mark.xdist_group("embedded")
@pytest.mark.parametrize("family", sorted(set(MODELS) - set(FIRST_BLOCK)))
def test_every_other_model_goes_through_all_questions_and_saved_queries(
    family: str, roomy: GraphStore, tmp_path: Path
) -> None:
    ingest(asked(family, tmp_path, SMALL), roomy)
    case = Case(family, roomy)
    for name in QUESTIONS:
        QUESTION_CHECKS[name](case)
    for name in saved_queries():
        SAVED_CHECKS[name](case)
