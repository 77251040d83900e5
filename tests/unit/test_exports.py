"""Exports read back equal, bit by bit, by the tools they are for."""

import csv
import json
import math
import struct
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from neuromfa.analysis import analyze
from neuromfa.checkpoints import open_series
from neuromfa.exports import (
    GRAPH_FORMATS,
    RESULT_FORMATS,
    edge_table,
    neuron_names,
    results_table,
    to_networkx,
    to_sparse,
)
from neuromfa.network import EdgeColumns, Layer, NeuronMeasures, Part, Provenance, SampleGraph
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult

NAN = math.nan
AWKWARD = [0.1 + 0.2, 5e-324, -1.7976931348623157e308, 1 / 3]
SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"


def columns(source: list[int], target: list[int], distance: list[float], weight: list[float]) -> EdgeColumns:
    return EdgeColumns(
        np.array(source),
        np.array(target),
        np.array(distance, dtype=np.float64),
        np.array(weight, dtype=np.float64),
    )


def made(weights: list[float]) -> SampleGraph:
    """Three layers: two inputs feed a query and a key by `weights`, which are wired to one attention unit."""
    layers = (
        Layer(0, "input", (Part("input", np.array([7, 2])),)),
        Layer(0, "qkv", (Part("query", np.array([1])), Part("key", np.array([1])))),
        Layer(0, "attention", (Part("attention", np.array([1])),)),
    )
    edges = (
        columns([0, 0, 1, 1], [0, 1, 0, 1], [abs(weight) for weight in weights], weights),
        columns([0, 1], [0, 0], [1.0, 1.0], [NAN, NAN]),
    )
    measures = NeuronMeasures(
        nfd=(np.array([1 / 7, NAN]), np.array([NAN, NAN]), np.array([NAN])),
        nfd_own=(np.array([2 / 7, 3 / 7]), np.array([NAN, NAN]), np.array([NAN])),
    )
    where = Provenance("a/model", None, "main", "gpt_neox", "f" * 64, "float16", 0, 2, "exact")
    return SampleGraph(layers, edges, (False, True), 200.0, 3, "a" * 64, where, measures)


GRAPH = made(AWKWARD)
NAMES = ["B00.input.00007", "B00.input.00002", "B00.query.00001", "B00.key.00001", "B00.attention.00001"]


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def test_networkx_has_every_neuron_and_edge_with_its_numbers() -> None:
    graph = to_networkx(GRAPH)
    assert list(graph) == neuron_names(GRAPH) == NAMES
    assert graph.nodes[NAMES[0]] == {
        "layer": 0,
        "position": 0,
        "block": 0,
        "row": "input",
        "kind": "input",
        "index": 7,
        "nfd": 1 / 7,
        "nfd_own": 2 / 7,
    }
    assert "nfd" not in graph.nodes[NAMES[1]]
    assert graph.edges[NAMES[0], NAMES[2]] == {"distance": 0.1 + 0.2, "weight": 0.1 + 0.2}
    assert graph.edges[NAMES[3], NAMES[4]] == {"distance": 1.0}
    assert graph.number_of_edges() == GRAPH.n_edges
    assert graph.graph["series"] == "a/model"
    assert "step" not in graph.graph


def test_sparse_matrix_is_numbered_layer_after_layer() -> None:
    matrix = to_sparse(GRAPH)
    assert matrix.shape == (5, 5)
    assert matrix.nnz == GRAPH.n_edges
    dense = matrix.toarray()
    assert dense[0, 2] == 0.1 + 0.2
    assert dense[1, 3] == 1 / 3
    assert dense[2, 4] == dense[3, 4] == 1.0


def test_paths_of_both_views_agree() -> None:
    graph = made([0.5, 0.25, 4.0, 2.0])
    lengths = nx.single_source_dijkstra_path_length(to_networkx(graph), NAMES[0], weight="distance")
    assert lengths[NAMES[4]] == dijkstra(to_sparse(graph), indices=0)[4] == 1.25


def graphml(path: Path) -> nx.DiGraph:
    found = nx.read_graphml(path)
    found.graph = {key: value for key, value in found.graph.items() if not key.endswith("_default")}
    return found


def gexf(path: Path) -> nx.DiGraph:
    """Gephi's reader; the form itself adds a label to every node and an id to every edge."""
    found = nx.read_gexf(path)
    for name, values in found.nodes(data=True):
        assert values.pop("label") == name
    for _, _, values in found.edges(data=True):
        del values["id"]
    return found


def node_link(path: Path) -> nx.DiGraph:
    return nx.node_link_graph(json.loads(path.read_text()), edges="edges")


READERS = {"graphml": graphml, "gexf": gexf, "node-link": node_link}


def written(name: str, graph: SampleGraph, folder: Path) -> Path:
    path = folder / f"graph{GRAPH_FORMATS[name].suffix}"
    GRAPH_FORMATS[name].write(graph, path)
    return path


@pytest.mark.parametrize("name", READERS)
def test_graph_reads_back_equal(name: str, tmp_path: Path) -> None:
    wanted, found = to_networkx(GRAPH), READERS[name](written(name, GRAPH, tmp_path))
    assert dict(found.nodes(data=True)) == dict(wanted.nodes(data=True))
    assert {(a, b): values for a, b, values in found.edges(data=True)} == {
        (a, b): values for a, b, values in wanted.edges(data=True)
    }
    if name != "gexf":
        assert found.graph == wanted.graph


@settings(max_examples=40)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4))
def test_every_finite_number_survives_every_form(
    tmp_path_factory: pytest.TempPathFactory, weights: list[float]
) -> None:
    graph = made(weights)
    folder = tmp_path_factory.mktemp("forms")
    for name, read in READERS.items():
        found = read(written(name, graph, folder))
        kept = [found.edges[NAMES[a], NAMES[b]]["weight"] for a in (0, 1) for b in (2, 3)]
        assert list(map(bits, kept)) == list(map(bits, weights)), name


def test_edge_parquet_reads_back_equal(tmp_path: Path) -> None:
    table = pq.read_table(written("edges-parquet", GRAPH, tmp_path))
    assert table.equals(edge_table(GRAPH), check_metadata=True)
    assert table["weight"].to_pylist() == [*AWKWARD, None, None]
    assert table["distance"].to_pylist() == [*map(abs, AWKWARD), 1.0, 1.0]
    assert table["source_name"].to_pylist() == [NAMES[k] for k in (0, 0, 1, 1, 2, 3)]
    assert table["target_name"].to_pylist() == [NAMES[k] for k in (2, 3, 2, 3, 4, 4)]
    assert table["layer"].to_pylist() == [0, 0, 0, 0, 1, 1]
    assert json.loads(table.schema.metadata[b"neuromfa"])["graph_hash"] == "a" * 64


@pytest.fixture(scope="module")
def results() -> list[CheckpointResult]:
    options = AnalysisOptions(samples=3, nodes=16)
    return analyze(open_series(str(SERIES)), options, steps="0,2000").checkpoints


def test_result_tables_read_back_equal(results: list[CheckpointResult], tmp_path: Path) -> None:
    RESULT_FORMATS["parquet"].write(results, tmp_path / "r.parquet")
    table = pq.read_table(tmp_path / "r.parquet")
    assert table.equals(results_table(results))
    row = table.to_pylist()[1]
    last = results[1]
    assert (row["step"], row["alpha0"], row["alpha0_low"]) == (2000, last.alpha0.value, last.alpha0.low)
    assert row["tau"] == last.spectrum.tau
    assert row["flags"] == last.flags
    assert last.nulls is not None
    assert row["shuffled_width_high"] == last.nulls["shuffled"].width.high
    assert row["sample_alpha0"] == [sample.alpha0 for sample in last.samples]


def test_csv_has_the_same_numbers_without_the_lists(results: list[CheckpointResult], tmp_path: Path) -> None:
    RESULT_FORMATS["csv"].write(results, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = results_table(results).to_pylist()
    for row, wanted in zip(rows, table, strict=True):
        for name, text in row.items():
            value = wanted[name]
            if isinstance(value, float):
                assert bits(float(text)) == bits(value), name
            else:
                assert text == (
                    " ".join(value) if name == "flags" else "" if value is None else str(value)
                ), name
    assert set(table[0]) - set(rows[0]) >= {"q", "tau", "f", "sample_seed"}


def test_columns_keep_their_types_where_nothing_exists() -> None:
    options = AnalysisOptions(samples=1, nodes=8, nulls=False, baseline="none")
    one = analyze(open_series(str(SERIES / "step2000")), options).checkpoints
    schema = results_table(one).schema
    assert schema.field("step").type == pa.int64()
    assert schema.field("emergence").type == schema.field("alpha0_low").type == pa.float64()
    assert schema.field("emergence_reason").type == pa.string()
    assert schema.field("tau_low").type == pa.list_(pa.float64())
    assert schema.field("flags").type == pa.list_(pa.string())


def test_no_results_make_an_empty_file(tmp_path: Path) -> None:
    assert results_table([]).num_rows == 0
    RESULT_FORMATS["csv"].write([], tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text() == "\n"
