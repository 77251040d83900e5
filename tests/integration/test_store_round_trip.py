"""What is written comes back bit by bit, on both servers."""

from dataclasses import replace

import numpy as np
import pytest

from neuromfa.errors import NotStored, OptionError, StoreError
from neuromfa.graph import GraphStore
from neuromfa.graph.manifest import SAMPLE_BITS, checksum
from neuromfa.graph.result_io import options_hash
from neuromfa.network import EdgeColumns, SampleGraph
from neuromfa.scores import Score
from tests.integration.conftest import Server
from tests.integration.making import OPTIONS, make_graph, make_result, same_graph


@pytest.mark.parametrize("measured", [True, False], ids=["measured", "unmeasured"])
def test_a_graph_comes_back_bit_by_bit(store: GraphStore, model: str, fresh: str, measured: bool) -> None:
    graph = make_graph(fresh, seed=3, measured=measured)
    assert store.write_sample(model, 0, graph, options=OPTIONS)
    read = store.read_sample(model, 0, 3)
    assert same_graph(read, graph)
    assert read.provenance == replace(graph.provenance, series=model, step=0, revision="step0")
    [manifest] = store.samples(model, 0)
    assert manifest.checksum == checksum(graph) == checksum(read)
    assert (manifest.n_neurons, manifest.n_edges) == (graph.n_neurons, graph.n_edges)
    assert manifest.options_hash == options_hash(OPTIONS)


def test_edges_come_back_by_source_then_target(store: GraphStore, model: str, fresh: str) -> None:
    store.write_sample(model, 0, make_graph(fresh, seed=1))
    for columns in store.read_sample(model, 0, 1).edges:
        assert np.array_equal(np.lexsort((columns.target, columns.source)), np.arange(columns.size))


def test_layers_without_edges_and_kinds_of_a_user(store: GraphStore, model: str, fresh: str) -> None:
    graph = make_graph(fresh, seed=2, kind="größe des Blocks", density=0.3)
    nothing = EdgeColumns(*(np.zeros(0, np.int64),) * 2, *(np.zeros(0),) * 2)
    bare = replace(graph, edges=(nothing, *graph.edges[1:]))
    store.write_sample(model, 0, bare)
    read = store.read_sample(model, 0, 2)
    assert same_graph(read, bare)
    assert read.layers[3].parts[0].kind == "größe des Blocks"


def test_reads_are_paged(store: GraphStore, model: str, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = make_graph(fresh, seed=4, width=9)
    store.write_sample(model, 0, graph)
    monkeypatch.setattr("neuromfa.graph.sample_io.READ_EDGES", 10)
    assert same_graph(store.read_sample(model, 0, 4), graph)


def test_neurons_carry_what_a_person_reads(store: GraphStore, server: Server, model: str, fresh: str) -> None:
    graph = make_graph(fresh, seed=5, blocks=1)
    store.write_sample(model, 0, graph)
    [manifest] = store.samples(model, 0)
    rows = server.raw(
        "MATCH (n:Neuron {sample: $s}) RETURN n.key, n.name, n.kind, n.layer, n.position, n.block, n.index, labels(n) "
        "ORDER BY n.key",
        s=manifest.number,
    )
    names = [name for layer in graph.layers for name in layer.names()]
    assert [row[0] for row in rows] == list(range(manifest.first_key, manifest.first_key + graph.n_neurons))
    assert manifest.first_key == manifest.number << SAMPLE_BITS
    assert [row[1] for row in rows] == names
    kinds = [kind for layer in graph.layers for kind in layer.kinds]
    assert [row[2] for row in rows] == kinds
    assert all(set(row[7]) == {"Neuron", row[2].capitalize()} for row in rows)
    assert [row[6] for row in rows] == [unit for layer in graph.layers for unit in layer.units.tolist()]


def test_artificial_edges_have_no_weight(store: GraphStore, server: Server, model: str, fresh: str) -> None:
    store.write_sample(model, 0, make_graph(fresh, seed=5))
    [manifest] = store.samples(model, 0)
    [[weighted, wired]] = server.raw(
        "MATCH (:Neuron {sample: $s, layer: 1})-[r:FEEDS]->() "
        "RETURN count(r.weight), sum(CASE WHEN r.weight IS NULL AND r.distance = 1.0 THEN 1 ELSE 0 END)",
        s=manifest.number,
    )
    assert (weighted, wired) == (0, manifest.layout[1].edges)


def test_a_result_comes_back_equal(store: GraphStore, server: Server, model: str, fresh: str) -> None:
    result = make_result(fresh)
    assert store.write_result(model, result, OPTIONS)
    assert store.result(model, 0) == result
    assert store.results(model) == [result]
    assert store.has_result(model, 0, fresh)
    assert not store.has_result(model, 8, fresh)
    [record] = store.analyses(model)
    assert (record.options, record.options_hash, record.checkpoints) == (OPTIONS, options_hash(OPTIONS), 1)
    [row] = server.raw(
        "MATCH (s:Spectrum {id: $id}) RETURN s.q, s.tau, s.alpha0, s.alpha0_low, s.shuffled_width, s.flags, "
        "s.tau_low IS NULL, s.edges_kept, s.sample_tau",
        id=fresh,
    )
    tau = [value for sample in result.samples for value in sample.tau]
    assert result.nulls is not None
    assert row == [
        result.spectrum.q,
        result.spectrum.tau,
        result.alpha0.value,
        result.alpha0.low,
        result.nulls["shuffled"].width.value,
        result.flags,
        True,
        2**53 + 1,
        tau,
    ]


def test_the_newest_analysis_answers_and_older_ones_stay(store: GraphStore, model: str, fresh: str) -> None:
    paper = replace(OPTIONS, profile="paper")
    first, second = make_result(fresh + "a", seed=1), make_result(fresh + "b", seed=2)
    store.write_result(model, first, OPTIONS)
    store.write_result(model, second, paper)
    assert store.result(model, 0) == second
    assert store.result(model, 0, profile="exact") == first
    assert store.results(model, profile="exact", hops="1") == [first]
    store.write_result(model, first, OPTIONS)
    assert store.result(model, 0) == first
    with pytest.raises(NotStored, match="hops=multi"):
        store.result(model, 0, hops="multi")


def test_one_content_is_one_object_for_two_models(
    store: GraphStore, server: Server, model: str, fresh: str
) -> None:
    twin = model + "-twin"
    store.write_model(twin, source="the same weights")
    store.write_checkpoint(twin, 5, revision="elsewhere")
    graph, result = make_graph(fresh, seed=6), make_result(fresh)
    assert store.write_sample(model, 0, graph)
    assert not store.write_sample(twin, 5, graph)
    assert store.write_result(model, result, OPTIONS)
    assert store.write_result(twin, replace(result, step=5, revision="elsewhere"), OPTIONS)
    assert store.result(twin, 5) == replace(result, step=5, revision="elsewhere")
    assert store.read_sample(twin, 5, 6).provenance.series == twin
    assert server.raw("MATCH (s:Sample {id: $id}) RETURN count(s)", id=fresh) == [[1]]
    store.delete_model(model)
    assert same_graph(store.read_sample(twin, 5, 6), graph)
    assert store.result(twin, 5).analysis_hash == fresh
    store.delete_model(twin)
    assert server.raw("MATCH (s) WHERE s.id = $id RETURN count(s)", id=fresh) == [[0]]


def test_a_changed_number_is_noticed(store: GraphStore, server: Server, model: str, fresh: str) -> None:
    graph = make_graph(fresh, seed=7)
    store.write_sample(model, 0, graph)
    [manifest] = store.samples(model, 0)
    server.raw(
        "MATCH (:Neuron {sample: $s, layer: 0, position: $p})-[r:FEEDS]->(:Neuron {position: $t}) "
        "SET r.distance = r.distance * 1.0000000000000002",
        s=manifest.number,
        p=int(graph.edges[0].source[0]),
        t=int(graph.edges[0].target[0]),
    )
    with pytest.raises(StoreError, match="checksum"):
        store.read_sample(model, 0, 7)


def test_models_and_checkpoints_come_in_pages(store: GraphStore, model: str) -> None:
    for step in (16, None, 3):
        store.write_checkpoint(model, step, revision=f"r{step}", loss=1.5)
    steps: list[int | None] = []
    cursor: str | None = None
    while True:
        page = store.checkpoints(model, limit=2, cursor=cursor)
        steps += [record.step for record in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert steps == [None, 0, 3, 8, 16]
    between = store.checkpoints(model, from_step=3, to_step=8)
    assert [record.step for record in between.items] == [3, 8]
    assert [record.step for record in store.checkpoints(model, to_step=8, limit=1, cursor="3").items] == [8]
    assert store.checkpoint(model, None).revision == "rNone"
    store.write_model(model + "z", source="later in the alphabet")
    first = store.models(limit=1)
    assert first.next is not None
    found = {record.id for record in store.models(limit=1000).items}
    assert {model, model + "z"} <= found
    assert model + "z" in {record.id for record in store.models(limit=1000, cursor=model).items}
    assert store.model(model).source == "made by a test"


def test_scores_stand_on_checkpoints(store: GraphStore, model: str) -> None:
    first = [Score(8, "piqa", "acc", 0.7, 0.01), Score(8, "wsc", "acc", 0.5)]
    elsewhere = Score(9, "piqa", "acc", 0.6)
    assert store.write_scores(model, [*first, elsewhere]) == [elsewhere]
    again = Score(8, "piqa", "acc", 0.71)
    assert store.write_scores(model, [again]) == []
    assert store.scores(model) == [again, first[1]]
    with pytest.raises(NotStored, match="model 'no/such' is not in the store"):
        store.scores("no/such")


def test_what_is_not_there_is_named(store: GraphStore, model: str, fresh: str) -> None:
    graph: SampleGraph = make_graph(fresh, seed=9)
    with pytest.raises(NotStored, match="no/such"):
        store.model("no/such")
    with pytest.raises(NotStored, match="step 7; there are: 0, 8"):
        store.checkpoint(model, 7)
    with pytest.raises(NotStored, match="step 7"):
        store.write_sample(model, 7, graph)
    with pytest.raises(NotStored, match="no/such"):
        store.write_checkpoint("no/such", 0, revision="r")
    store.write_sample(model, 0, graph)
    with pytest.raises(NotStored, match="seed 1 at step 0; stored seeds: 9"):
        store.read_sample(model, 0, 1)
    with pytest.raises(OptionError, match="--"):
        store.write_model("a--b", source="x")
    with pytest.raises(OptionError, match="limit"):
        store.models(limit=0)
    with pytest.raises(OptionError, match="cursor"):
        store.checkpoints(model, cursor="'}) DETACH DELETE (n) //")
