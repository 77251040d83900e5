"""How neurons stand against chance in a store: on new and on known graphs, in backups and in exported graphs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuromfa.errors import NotStored
from neuromfa.exports import to_networkx
from neuromfa.graph import GraphStore, open_store
from neuromfa.graph.backup import restore, save
from neuromfa.identity import options_hash
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.network import NeuronTests
from neuromfa.neurons import MEASURES
from neuromfa.options import AnalysisOptions
from neuromfa.questions import Departures, Explorer, ask
from tests.integration.making import make_graph
from tests.integration.test_questions import made_tests
from tests.made_series import tensors, write

OPTIONS = AnalysisOptions(nodes=128, samples=2, min_edges=3, nulls=False, shape=False, neurons=1)
PLANTED = "B01.mlp.00007"


def same_tests(found: NeuronTests | None, expected: NeuronTests) -> bool:
    return (
        found is not None
        and found.draws == expected.draws
        and all(
            np.array_equal(own, other, equal_nan=True)
            for measure in MEASURES
            for column in ("value", "z", "p", "p_adjusted")
            for own, other in zip(
                getattr(getattr(found, measure), column),
                getattr(getattr(expected, measure), column),
                strict=True,
            )
        )
    )


def test_tests_come_back_bit_by_bit_and_can_be_replaced(
    store: GraphStore, model: str, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = make_graph(fresh, seed=3)
    store.write_sample(model, 0, graph)
    assert store.read_sample(model, 0, 3).tests is None
    assert store.sample(model, 0, 3).tested is None
    object.__setattr__(store._connection, "dialect", replace(store._connection.dialect, chunk_neurons=7))
    for seed in (1, 2):
        tests = made_tests(replace(graph, provenance=replace(graph.provenance, seed=seed)))
        store.write_tests(model, 0, graph.graph_hash, tests, options=OPTIONS)
        assert same_tests(store.read_sample(model, 0, 3).tests, tests)
    manifest = store.sample(model, 0, 3)
    assert (manifest.tested, manifest.test_draws) == (options_hash(OPTIONS), 99)
    with pytest.raises(NotStored, match="has no graph abc at step 0"):
        store.write_tests(model, 0, "abc", tests, options=OPTIONS)


def series(root: Path) -> Path:
    weights = tensors(hidden=64)
    weights["gpt_neox.layers.1.mlp.dense_4h_to_h.weight"][:, 7] *= 5
    write(root / "run/step0", weights)
    return root / "run"


def test_an_ingest_tests_graphs_that_are_known(store: GraphStore, tmp_path: Path) -> None:
    request = IngestRequest(
        source=str(series(tmp_path)), model_id=f"tests/{tmp_path.name}", options=OPTIONS, graph_samples=None
    )
    untested = replace(request, options=replace(OPTIONS, neurons=0))
    assert ingest(untested, store).graphs_written == 2
    sample = Explorer(store).sample(request.model_id or "", 0)
    assert sample.graph().tests is None
    assert ingest(request, store).graphs_written == 0
    assert [one.tested is not None for one in store.samples(request.model_id or "", 0)] == [True, False]
    tested = Explorer(store, cache=sample.cache).sample(request.model_id or "", 0)
    found = [ask(tested, Departures(), engine=engine) for engine in ("cypher", "numpy")]  # type: ignore[arg-type]
    assert found[0] == found[1], "what was read before the test is not taken for it"
    told = store.result(request.model_id or "", 0).neurons
    assert told is not None
    assert [one.name for one in found[0].items] == [one.name for one in told.samples[0].neurons]
    assert PLANTED in [one.name for one in found[0].items]
    store.delete_model(request.model_id or "")


@pytest.mark.slow
def test_backups_and_exported_graphs_hold_them(tmp_path: Path) -> None:
    graph = make_graph("tested", seed=4)
    tests = made_tests(graph)
    with open_store(data_dir=tmp_path / "store") as store:
        store.write_model("a", source="made by a test")
        store.write_checkpoint("a", 0, revision="step0")
        store.write_sample("a", 0, graph)
        store.write_tests("a", 0, "tested", tests, options=OPTIONS)
        save(store, tmp_path / "store.zip", progress=lambda *_: None)
        store.delete_model("a")
        restore(store, tmp_path / "store.zip", progress=lambda *_: None)
        assert store.sample("a", 0, 4).tested == options_hash(OPTIONS)
        read = store.read_sample("a", 0, 4)
    assert same_tests(read.tests, tests)
    nodes = to_networkx(read).nodes
    for position, name in enumerate(read.layers[0].names()):
        z, nfd = tests.nfd.z[0][position], graph.measures.nfd[0][position] if graph.measures else np.nan
        assert nodes[name].get("nfd_z", np.nan) == pytest.approx(z, nan_ok=True)
        assert nodes[name].get("nfd", np.nan) == pytest.approx(nfd, nan_ok=True)
