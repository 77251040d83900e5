"""The saved queries on the bundled series: quick, bounded, and equal to numpy on the same graph, on both servers."""

import csv
import doctest
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from neuromfa.app.cli.export import export
from neuromfa.app.neo4j_browser.guide import guide_queries
from neuromfa.app.neo4j_browser.queries import SavedQuery, Value, saved_queries
from neuromfa.errors import NotStored, OptionError
from neuromfa.exports import edge_table, neuron_names, to_networkx
from neuromfa.graph import GraphStore
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.network import SampleGraph
from tests.integration.conftest import Server

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "series" / "stdlib-14m"
MODEL = "stdlib-14m"
MOST_DRAWN = 300  # what the Neo4j Browser draws at most
RANGE, GAMMA = 150.0, 5.0

Rows = list[dict[str, Any]]


Graphs = dict[tuple[str, int], SampleGraph]


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    """Stored graphs by server and step, each read once."""
    return {}


def fill(server: Server, graphs: Graphs) -> None:
    """Bring two steps of the bundled series, measured as by default, into a server that does not have them."""
    if (server.name, 0) in graphs:
        return
    with server.open() as store:
        ingest(IngestRequest(source=str(SERIES), steps="0,2000"), store)
        graphs |= {(server.name, step): store.read_sample(MODEL, step, 0) for step in (0, 2000)}


@pytest.fixture
def explored(store: GraphStore, server: Server, graphs: Graphs) -> GraphStore:
    """A store with two steps of the series."""
    fill(server, graphs)
    return store


@pytest.fixture
def graph(explored: GraphStore, server: Server, graphs: Graphs) -> SampleGraph:
    """The stored graph that the example values speak of."""
    return graphs[server.name, 2000]


@pytest.fixture
def start(explored: GraphStore, server: Server, graphs: Graphs) -> SampleGraph:
    """The same neurons at step 0."""
    return graphs[server.name, 0]


def run(store: GraphStore, which: str, /, **values: Value) -> Rows:
    """Run a saved query with its example values, or those given."""
    query = saved_queries()[which]
    return store.read(lambda transaction: transaction.rows_of(query.text, {**query.examples, **values}))  # type: ignore[arg-type]


def weighted(graph: SampleGraph, layer: int) -> list[tuple[float, str, str, float]]:
    """Return (distance, source, target, weight) of the weighted edges that leave a layer, the shortest first."""
    if graph.artificial[layer]:
        return []
    edges = graph.edges[layer]
    sources, targets = graph.layers[layer].names(), graph.layers[layer + 1].names()
    shortest_first = np.lexsort((edges.target, edges.source, edges.distance))
    return [
        (float(edges.distance[i]), sources[edges.source[i]], targets[edges.target[i]], float(edges.weight[i]))
        for i in shortest_first
    ]


def drawn(value: Any) -> int:
    """Return how many nodes and relationships a value holds, as the driver's plain data show them."""
    if isinstance(value, dict):
        return 1
    if isinstance(value, tuple):
        return 1
    return sum(map(drawn, value)) if isinstance(value, list) else 0


# every query


@pytest.mark.parametrize("query", saved_queries().values(), ids=saved_queries())
def test_shows_something_within_its_limit(explored: GraphStore, query: SavedQuery) -> None:
    rows = run(explored, query.name)  # within the limit of a query; docs/explore.md has what was measured
    assert rows
    assert sum(drawn(value) for row in rows for value in row.values()) <= MOST_DRAWN
    in_place = explored.read(lambda transaction: transaction.rows_of(query.filled(), {}))  # type: ignore[arg-type]
    assert repr(in_place) == repr(rows)


def test_every_query_of_the_guide_shows_something(explored: GraphStore) -> None:
    texts = guide_queries()
    assert len(texts) > 10
    for text in texts:
        assert explored.read(lambda transaction, text=text: transaction.rows_of(text, {})), text  # type: ignore[misc]


@pytest.mark.parametrize("query", saved_queries().values(), ids=saved_queries())
def test_cannot_write_and_a_wrong_model_shows_nothing(explored: GraphStore, query: SavedQuery) -> None:
    assert not re.search(r"\b(CREATE|MERGE|SET|DELETE|REMOVE|LOAD|CALL \w)\b", query.text)
    assert run(explored, query.name, model="no such model") == []


# what they say


def test_strongest_edges_are_those_of_numpy(explored: GraphStore, graph: SampleGraph) -> None:
    rows = run(explored, "strongest_edges", block=2, count=10)
    found = [(row["source"], row["target"], row["weight"]) for row in rows]
    wanted = [
        (source, target, pytest.approx(weight, abs=6e-5))
        for layer in range(10, 15)
        for _, source, target, weight in weighted(graph, layer)[:10]
    ]
    assert found == wanted
    assert len(found) == 40


def test_strongest_paths_are_the_shortest_of_networkx(explored: GraphStore, graph: SampleGraph) -> None:
    rows = run(explored, "strongest_paths", block=2, count=64)
    whole = to_networkx(graph)
    block = [name for layer in graph.layers[10:16] for name in layer.names()]
    network = whole.subgraph(block).copy()
    network.remove_edges_from([(a, b) for a, b, d in network.edges(data="distance") if d > RANGE])
    starts = graph.layers[10].names()
    lengths, paths = nx.multi_source_dijkstra(network, set(starts), weight="distance")
    ends = {name: lengths[name] + 4 * GAMMA for name in graph.layers[15].names() if name in lengths}
    assert len(rows) == len(ends)
    for row in rows:
        assert row["distance"] == pytest.approx(ends[row["path"][-1]], abs=6e-4)
        assert row["path"] == paths[row["path"][-1]]
    assert [row["distance"] for row in rows] == sorted(row["distance"] for row in rows)


def test_neighbourhood_is_of_the_neuron_of_highest_dimension(
    explored: GraphStore, graph: SampleGraph
) -> None:
    assert graph.measures is not None
    [row] = run(explored, "neighbourhood", count=12)
    dimensions = np.concatenate(graph.measures.nfd)
    assert row["neuron"] == neuron_names(graph)[int(np.nanargmax(dimensions))]
    layer = row["n"]["layer"]
    out = [edge for edge in weighted(graph, layer) if edge[1] == row["neuron"]][:12]
    back = [edge for edge in weighted(graph, layer - 1) if edge[2] == row["neuron"]][:12]
    assert [target["name"] for target in row["targets"]] == [edge[2] for edge in out]
    assert [source["name"] for source in row["sources"]] == [edge[1] for edge in back]
    assert len(row["out"]) == len(row["in"]) == 12


def test_distances_are_a_histogram(explored: GraphStore, graph: SampleGraph) -> None:
    rows = run(explored, "distances", layer=10, bin=10.0)
    counts, _ = np.histogram(graph.edges[10].distance, bins=np.arange(0, 151, 10))
    assert [row["edges"] for row in rows] == counts.tolist()
    assert max(len(row["bar"]) for row in rows) == 40


def test_layer_pair_change_is_the_difference_of_two_steps(
    explored: GraphStore, graph: SampleGraph, start: SampleGraph
) -> None:
    rows = run(explored, "layer_pair_change", layer=10, before=0, after=2000, count=30)
    changes: dict[tuple[str, str], float] = {}
    for sign, stored in ((-1, start), (1, graph)):
        for _, source, target, weight in weighted(stored, 10):
            changes[source, target] = changes.get((source, target), 0.0) + sign * weight
    largest = sorted(map(abs, changes.values()), reverse=True)[:30]
    assert [abs(row["change"]) for row in rows] == pytest.approx(largest, abs=6e-6)
    for row in rows:
        assert row["change"] == pytest.approx(changes[row["source"], row["target"]], abs=6e-6)


def test_rows_of_a_block_are_counted(explored: GraphStore, graph: SampleGraph) -> None:
    rows = run(explored, "block_rows", block=2)
    assert [row["kind"] for row in rows] == ["input", "key", "query", "value", "attention", "dense", "mlp"]
    counted = {row["layer"]: row["edges_in_range"] for row in rows}
    for layer in (10, 12, 13, 14):
        near = [edge[0] for edge in weighted(graph, layer) if edge[0] <= RANGE]
        [row] = [row for row in rows if row["layer"] == layer]
        assert (counted[layer], row["shortest"]) == (len(near), pytest.approx(near[0], abs=6e-4))
        assert row["mean_distance"] == pytest.approx(np.mean(near), abs=6e-3)
    assert counted[11] == 0


def test_a_neuron_over_the_steps(explored: GraphStore, graph: SampleGraph) -> None:
    rows = run(explored, "neuron_trajectory", name="B02.key.00066")
    assert [row["step"] for row in rows] == [0, 2000]
    mine = [edge for edge in weighted(graph, 10) if edge[2] == "B02.key.00066" and edge[0] <= RANGE]
    last = rows[-1]
    assert (last["edges_in"], last["strongest_source"]) == (len(mine), mine[0][1])
    assert last["strength_in"] == pytest.approx(sum(abs(edge[3]) for edge in mine), abs=6e-4)
    assert (last["dimension"], last["edges_out"]) == (None, 0)
    # what the guide says of it
    assert last["strength_in"] > 2 * rows[0]["strength_in"]


def test_weakest_kept_have_the_fewest_edges_in_range(explored: GraphStore, graph: SampleGraph) -> None:
    rows = run(explored, "weakest_kept", block=2, count=25)
    near = [edge for layer in range(10, 15) for edge in weighted(graph, layer) if edge[0] <= RANGE]
    counts = Counter(source for _, source, _, _ in near)
    assert [row["edges_in_range"] for row in rows] == sorted(counts.values())[:25]
    for row in rows:
        assert row["edges_in_range"] == counts[row["neuron"]] > 10
        mine = [edge for edge in near if edge[1] == row["neuron"]]
        assert row["strength"] == pytest.approx(sum(abs(edge[3]) for edge in mine), abs=6e-4)


def test_dimensions_by_kind_cover_every_kept_neuron(explored: GraphStore, graph: SampleGraph) -> None:
    assert graph.measures is not None
    rows = run(explored, "dimensions_by_kind")
    dimensions = np.concatenate(graph.measures.nfd)
    assert sum(row["kept"] for row in rows) == np.count_nonzero(~np.isnan(dimensions))
    assert max(row["highest"] for row in rows) == pytest.approx(np.nanmax(dimensions), abs=6e-5)


def test_tables_of_numbers_are_those_of_the_results(explored: GraphStore) -> None:
    results = explored.results(MODEL)
    emergence, flags = run(explored, "emergence"), run(explored, "flags_and_nulls")
    for result, row, beside in zip(results, emergence, flags, strict=True):
        assert result.nulls is not None and result.emergence is not None
        assert (row["step"], beside["step"]) == (result.step, result.step)
        assert row["E"] == pytest.approx(result.emergence.value, abs=6e-5)
        assert row["alpha0"] == pytest.approx(result.alpha0.value, abs=6e-5)
        shuffled = result.nulls["shuffled"].emergence
        assert shuffled is not None and row["E_shuffled"] == pytest.approx(shuffled.value, abs=6e-5)
        assert beside["flags"] == result.flags
        assert beside["neurons_kept"] == result.coverage.nodes.kept
    spectrum = run(explored, "spectrum", step=2000)
    assert [row["f"] for row in spectrum] == results[-1].spectrum.f
    assert [row["tau"] for row in spectrum] == results[-1].spectrum.tau


def test_a_layer_pair_over_the_steps(explored: GraphStore, graph: SampleGraph, start: SampleGraph) -> None:
    rows = run(explored, "layer_pair_steps", layer=10)
    assert [row["step"] for row in rows] == [0, 2000]
    for row, stored in zip(rows, (start, graph), strict=True):
        near = [edge for edge in weighted(stored, 10) if edge[0] <= RANGE]
        assert (row["edges_in_range"], row["sources"]) == (len(near), 64)
        assert row["mean_distance"] == pytest.approx(np.mean([edge[0] for edge in near]), abs=6e-3)
        assert row["largest_weight"] == pytest.approx(abs(near[0][3]), abs=6e-5)


def test_overview_has_one_spectrum_and_one_sample_a_step(explored: GraphStore) -> None:
    rows = run(explored, "overview")
    assert [row["c"]["step"] for row in rows] == [0, 2000]
    assert all(row["spectrum"]["profile"] == "exact" and row["sample"]["seed"] == 0 for row in rows)


def test_provenance_names_graph_and_analysis(explored: GraphStore, graph: SampleGraph) -> None:
    facts = {row["what"]: row["value"] for row in run(explored, "provenance")}
    assert facts["graph (hash of its content)"] == graph.graph_hash
    assert facts["analysis (hash)"] == explored.result(MODEL, 2000).analysis_hash
    assert facts["relationships"] == graph.n_edges


# documents


@pytest.mark.xdist_group("embedded")
def test_the_library_page_is_true(
    embedded_server: Server, graphs: Graphs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(embedded_server, graphs)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo").symlink_to(embedded_server.where["data_dir"])
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "library.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert (failed, tried > 10) == (0, True)


def test_the_page_describes_every_saved_query() -> None:
    page = (ROOT / "docs" / "explore.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE)
    assert found == [(query.name, query.purpose.removesuffix(".")) for query in saved_queries().values()]


# the command that writes files


@pytest.fixture
def exported(
    embedded_server: Server, graphs: Graphs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run `neuromfa export` in a folder of its own, on the embedded store."""
    fill(embedded_server, graphs)
    monkeypatch.chdir(tmp_path)
    command = typer.Typer()
    command.command()(export)

    def run_command(*words: str) -> Result:
        return CliRunner().invoke(command, [*words, "--data-dir", str(embedded_server.where["data_dir"])])

    return run_command


@pytest.mark.xdist_group("embedded")
def test_export_writes_results_and_graphs(
    exported: Callable[..., Result], graphs: Graphs, tmp_path: Path
) -> None:
    assert exported(MODEL).exit_code == 0
    with (tmp_path / "stdlib-14m.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "2000"]
    assert exported(MODEL, "--format", "parquet", "--step", "2000", "--out", "r.parquet").exit_code == 0
    assert pq.read_table("r.parquet")["step"].to_pylist() == [2000]
    said = exported(MODEL, "--format", "edges-parquet", "--step", "2000")
    assert "3,136 neurons and 230,071 edges" in said.output
    table = pq.read_table("stdlib-14m-step2000-seed0.edges.parquet")
    assert table.equals(edge_table(graphs["embedded", 2000]), check_metadata=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "r.parquet",
        "stdlib-14m-step2000-seed0.edges.parquet",
        "stdlib-14m.csv",
    ]


@pytest.mark.xdist_group("embedded")
@pytest.mark.parametrize(
    ("words", "kind", "says"),
    [
        ((MODEL, "--format", "xlsx"), OptionError, "--format is one of csv, parquet, "),
        ((MODEL, "--format", "gexf"), OptionError, "say which with --step"),
        ((MODEL, "--step", "two"), OptionError, "--step is a step such as 512"),
        ((MODEL, "--step", "7"), NotStored, "there are: 0, 2000"),
        ((MODEL, "--format", "gexf", "--step", "0", "--seed", "5"), NotStored, "no graph of seed 5"),
        ((MODEL, "--profile", "paper"), NotStored, "has no results for profile=paper"),
        (("nobody",), NotStored, "'nobody' is not in the store"),
        ((MODEL, "--out", "nowhere/r.csv"), OptionError, "cannot write nowhere/r.csv: No such file"),
    ],
)
def test_export_says_what_is_wrong_and_leaves_nothing(
    exported: Callable[..., Result], tmp_path: Path, words: tuple[str, ...], kind: type[Exception], says: str
) -> None:
    result = exported(*words)
    assert isinstance(result.exception, kind)
    assert says in str(result.exception)
    assert list(tmp_path.iterdir()) == []
