"""Series as they lie about, in the store: failures are kept and tried again, repeats noted wherever they are read."""

import shutil
import uuid
from pathlib import Path

import numpy as np
import pytest

from neuromfa.errors import CorruptFile, OptionError
from neuromfa.graph import GraphStore, open_store
from neuromfa.graph.backup import restore, save
from neuromfa.ingest.ingest import IngestSummary, ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from neuromfa.questions import Explorer, Lineage
from tests.made_series import tensors, write, write_series

SMALL = AnalysisOptions(nodes=16, samples=3, min_edges=3)


@pytest.fixture
def name() -> str:
    return f"lying/{uuid.uuid4().hex[:8]}"


def put(store: GraphStore, root: Path, name: str, **more: object) -> IngestSummary:
    given = {"graph_samples": 0, **more}
    return ingest(IngestRequest(source=str(root), model_id=name, options=SMALL, **given), store)  # type: ignore[arg-type]


def test_a_bad_step_is_kept_as_what_it_is_and_tried_again(
    store: GraphStore, name: str, tmp_path: Path
) -> None:
    root = write_series(tmp_path)
    file = root / "step100/model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-8])
    summary = put(store, root, name)
    assert (summary.spectra_written, summary.total, [one.step for one in summary.failed]) == (2, 3, [100])
    assert not summary.stopped and not summary.nothing_new
    record = store.checkpoint(name, 100)
    assert (record.status, record.error, record.spectra) == ("failed", "CorruptFile", 0)
    assert record.sentence and "step100" in record.sentence
    assert [one.sentence for one in store.failures(name)] == [record.sentence]
    assert [one.step for one in store.results(name)] == [0, 200]
    with pytest.raises(CorruptFile):
        put(store, root, name, strict=True)

    file.write_bytes(whole)
    again = put(store, root, name, retry_failed=True)
    assert (again.total, again.spectra_written, again.failed) == (1, 1, [])
    assert store.failures(name) == [] and store.checkpoint(name, 100).status == "measured"
    assert put(store, root, name, retry_failed=True).total == 0
    assert put(store, root, name).nothing_new


def test_a_step_that_has_gone_bad_keeps_what_it_had(store: GraphStore, name: str, tmp_path: Path) -> None:
    root = write_series(tmp_path)
    put(store, root, name)
    (root / "step200/model.safetensors").unlink()
    put(store, root, name)
    record = store.checkpoint(name, 200)
    assert (record.status, record.spectra) == ("failed", 1)
    assert [one.step for one in store.results(name)] == [0, 100, 200]


def test_repeated_weights_are_noted_wherever_they_are_read(
    store: GraphStore, name: str, tmp_path: Path
) -> None:
    root = write_series(tmp_path)
    shutil.copy(root / "step200/model.safetensors", root / "step0/model.safetensors")
    put(store, root, name)
    chosen = store.choose(name).analysis.options_hash
    points = [point.read() for point in store.points(name, options_hash=chosen)]
    for found in (points, store.results(name), [store.result(name, step) for step in (0, 100, 200)]):
        assert [one.emergence_reason for one in found] == ["same_weights"] * 3
        assert [one.flag_notes.get("same_weights", "") for one in found] == [
            "all weights are those of step 200",
            "",
            "all weights are those of step 0",
        ]
    result = Explorer(store).result(name, 100)
    for answer in (
        Lineage(number="emergence").by_cypher(result),
        Lineage(number="emergence").by_numpy(result),
    ):
        assert (answer.estimate, answer.reason) == (None, "same_weights")

    file = tmp_path / "store.zip"
    save(store, file, progress=lambda *_: None)
    with open_store(data_dir=tmp_path / "other") as other:
        restore(other, file, progress=lambda *_: None)
        assert other.results(name) == store.results(name)

    write(root / "step0", tensors())  # the right file is put there: the doubt is gone
    put(store, root, name)
    assert all(one.emergence is not None for one in store.results(name))
    assert not any("same_weights" in one.flags for one in store.results(name))


def test_a_baseline_that_is_not_stored_is_compared_too(store: GraphStore, name: str, tmp_path: Path) -> None:
    root = write_series(tmp_path)
    shutil.copy(root / "step200/model.safetensors", root / "step0/model.safetensors")
    put(store, root, name, steps="100,200")
    assert [(one.step, one.emergence_reason) for one in store.results(name)] == [
        (100, "same_weights"),
        (200, "same_weights"),
    ]


def test_weights_that_are_replaced_and_put_back_are_the_present_ones(
    store: GraphStore, name: str, tmp_path: Path
) -> None:
    root = write_series(tmp_path, (0, 100))
    put(store, root, name, graph_samples=1)
    first, graph = store.result(name, 100), store.sample(name, 100, 0).graph_hash
    write(root / "step100", tensors(0.9))
    put(store, root, name, graph_samples=1)
    assert store.result(name, 100) != first and store.sample(name, 100, 0).graph_hash != graph
    write(root / "step100", tensors(0.3))
    assert put(store, root, name, graph_samples=1).nothing_new
    assert store.result(name, 100) == first and store.sample(name, 100, 0).graph_hash == graph
    assert [
        point.read().alpha0
        for point in store.points(name, options_hash=store.choose(name).analysis.options_hash)
    ][1] == first.alpha0


def test_two_runs_are_not_put_under_one_name(store: GraphStore, name: str, tmp_path: Path) -> None:
    one, other = write_series(tmp_path / "a/run"), write_series(tmp_path / "b/run", (0, 150), seed=5)
    put(store, one, name)
    with pytest.raises(OptionError, match="came from .*a/run, and this is .*b/run.*--model-id.*--same-run"):
        put(store, other, name)
    assert [record.step for record in store.each_checkpoint(name)] == [0, 100, 200]
    put(store, other, name, same_run=True)
    assert [record.step for record in store.each_checkpoint(name)] == [0, 100, 150, 200]


def test_a_bad_baseline_is_said_first(store: GraphStore, name: str, tmp_path: Path) -> None:
    root = write_series(tmp_path)
    (root / "step0/model.safetensors").unlink()
    told: list[str] = []
    request = IngestRequest(source=str(root), model_id=name, options=SMALL, graph_samples=0)
    ingest(request, store, report=lambda done, total, doing: told.append(doing))
    assert told[0].startswith("the baseline could not be measured: ")
    assert {one.emergence_reason for one in store.results(name)} == {"baseline_failed"}


def test_a_baseline_that_is_mended_gives_the_others_their_emergence(
    store: GraphStore, name: str, tmp_path: Path
) -> None:
    root = write_series(tmp_path)
    file = root / "step0/model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-8])
    put(store, root, name)
    assert put(store, root, name, retry_failed=True).total == 1
    file.write_bytes(whole)
    assert put(store, root, name, retry_failed=True).total == 3
    assert [(one.step, one.emergence_reason) for one in store.results(name)] == [
        (0, None),
        (100, None),
        (200, None),
    ]
    assert put(store, root, name, retry_failed=True).total == 0


def test_a_network_without_a_spectrum_has_its_graph(store: GraphStore, name: str, tmp_path: Path) -> None:
    """All weights equal: one radius, so no slope; the graph is there to be asked."""
    root = write_series(tmp_path, (0, 100))
    write(root / "step100", {key: np.full_like(w, 0.5) for key, w in tensors().items()})
    summary = put(store, root, name, graph_samples=1)
    assert [one.error for one in summary.failed] == ["TooFewRadii"]
    graph = store.read_sample(name, 100, 0)
    assert graph.measures is None and graph.n_edges > 0
    assert store.checkpoint(name, 100).samples == 1 and store.checkpoint(name, 100).spectra == 0
    assert put(store, root, name, graph_samples=1).graphs_written == 0
