"""Checkpoints that are stored already are found by a fingerprint of their files, and nothing of them is read."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.app.pages.series import StoredSeries
from neuromfa.checkpoints.transport.byte_source import ByteArray, LocalFile
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.network import IntArray
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, to_json

SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"
OPTIONS = AnalysisOptions(samples=2, nodes=8, nulls=False)
WEIGHTS = "model.safetensors"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of every reading of a local file, of weights, headers and configuration alike."""
    found: list[int] = []
    into = LocalFile.read_into

    def counted(self: LocalFile, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        before = self.traffic.bytes_read
        into(self, starts, lengths, buffer)
        found.append(self.traffic.bytes_read - before)

    monkeypatch.setattr(LocalFile, "read_into", counted)
    return found


@pytest.fixture
def run(store: GraphStore, tmp_path: Path) -> Iterator[IngestRequest]:
    """A series of one's own with two steps."""
    for step in (0, 2000):
        shutil.copytree(SERIES / f"step{step}", tmp_path / "run" / f"step{step}")
    model = f"recognised-{uuid.uuid4().hex[:8]}"
    yield IngestRequest(source=str(tmp_path / "run"), model_id=model, options=OPTIONS)
    with suppress(NotStored):
        store.delete_model(model)


def weights_of(run: IngestRequest, step: int) -> Path:
    return Path(run.source) / f"step{step}" / WEIGHTS


def test_a_second_ingest_reads_nothing(store: GraphStore, run: IngestRequest, read: list[int]) -> None:
    first = ingest(run, store)
    assert (first.recognised, first.spectra_written) == (0, 2)
    assert 0 < first.bytes_read <= sum(read), "the baseline is read beside the steps"
    before, counts = len(read), store.counts()
    served = store.result(run.model_id or "", 2000)
    second = ingest(run, store)
    assert (second.recognised, second.bytes_read, second.nothing_new) == (2, 0, True)
    assert read[before:] == []
    assert store.counts() == counts
    assert store.result(run.model_id or "", 2000) == served


def test_rehash_reads_all_again(store: GraphStore, run: IngestRequest, read: list[int]) -> None:
    first = ingest(run, store)
    before = sum(read)
    again = ingest(replace(run, rehash=True), store)
    assert (again.recognised, again.bytes_read, again.nothing_new) == (0, first.bytes_read, True)
    assert sum(read) == 2 * before


def test_a_touched_file_is_read_and_found_equal(
    store: GraphStore, run: IngestRequest, read: list[int]
) -> None:
    ingest(run, store)
    before = sum(read)
    os.utime(weights_of(run, 2000))
    again = ingest(run, store)
    assert (again.recognised, again.nothing_new) == (1, True)
    assert sum(read) > before
    assert ingest(run, store).recognised == 2, "it is known under its new time"


def test_a_changed_file_is_measured_again(store: GraphStore, run: IngestRequest) -> None:
    ingest(run, store)
    before = store.result(run.model_id or "", 2000)
    weights_of(run, 2000).write_bytes((SERIES / "step512" / WEIGHTS).read_bytes())
    again = ingest(run, store)
    assert (again.recognised, again.spectra_written) == (1, 1)
    assert store.result(run.model_id or "", 2000).alpha0 != before.alpha0


def test_another_baseline_is_another_question(store: GraphStore, run: IngestRequest) -> None:
    ingest(run, store)
    weights_of(run, 0).write_bytes((SERIES / "step32" / WEIGHTS).read_bytes())
    again = ingest(run, store)
    assert (again.recognised, again.spectra_written) == (0, 2), "E of every step is measured against step 0"


def test_more_options_or_graphs_are_read_and_earlier_ones_stay_known(
    store: GraphStore, run: IngestRequest
) -> None:
    ingest(run, store)
    more = replace(run, graph_samples=2)
    assert ingest(more, store).graphs_written == 2
    other = replace(run, options=replace(OPTIONS, nodes=12))
    assert ingest(other, store).spectra_written == 2
    for request in (run, more, other):
        assert ingest(request, store).recognised == 2


def test_a_graph_that_was_deleted_is_written_again(store: GraphStore, run: IngestRequest) -> None:
    ingest(run, store)
    store.delete_sample(run.model_id or "", 2000, 0)
    again = ingest(run, store)
    assert (again.recognised, again.graphs_written) == (1, 1)


def test_a_checkpoint_that_failed_is_never_passed_over(store: GraphStore, run: IngestRequest) -> None:
    whole = weights_of(run, 2000).read_bytes()
    weights_of(run, 2000).write_bytes(whole[:1000])
    assert [one.step for one in ingest(run, store).failed] == [2000]
    assert [one.step for one in ingest(run, store).failed] == [2000]
    weights_of(run, 2000).write_bytes(whole)
    again = ingest(run, store)
    assert (again.failed, again.recognised) == ([], 1)


@pytest.mark.parametrize("store", ["embedded"], indirect=True)
def test_a_baseline_that_is_not_there_stops_nothing_and_is_looked_for_again(
    store: GraphStore, run: IngestRequest, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "step0"
    request = replace(run, options=replace(OPTIONS, baseline=str(other)))
    for _ in range(2):
        done = ingest(request, store)
        assert (done.failed, done.recognised) == ([], 0)
        assert store.result(run.model_id or "", 2000).emergence is None
    shutil.copytree(SERIES / "step0", other)
    done = ingest(request, store)
    assert (done.recognised, done.spectra_written) == (0, 2)
    assert store.result(run.model_id or "", 2000).emergence is not None
    assert ingest(request, store).recognised == 2


def test_what_an_older_program_kept_is_measured_again_under_its_name(
    store: GraphStore, run: IngestRequest
) -> None:
    run = replace(run, options=replace(OPTIONS, nulls=True, draws=2))
    model = run.model_id or ""
    ingest(run, store)
    whole, counts = store.result(model, 2000), store.counts()
    assert whole.excess is not None and list(whole.excess["shuffled"].by_block) == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
    ]
    keep_less(store, whole)
    assert store.result(model, 2000).excess["shuffled"].by_block == {}  # type: ignore[index]
    before, page = store.series_index(model), StoredSeries.read(store, model).identity
    assert ingest(run, store).nothing_new, "the name tells that all is there"
    again = ingest(replace(run, measure_again=True), store)
    assert (again.recognised, again.spectra_written, again.graphs_written) == (0, 2, 0)
    assert store.result(model, 2000) == whole
    assert store.counts() == counts, "each stands in the place of the one of its name"
    names = [
        {one.name for steps in index.steps.values() for one in steps}
        for index in (before, store.series_index(model))
    ]
    assert len(names[0]) == len(names[1]) == 2 and not names[0] & names[1], (
        "who holds the old answer is told of a new one"
    )
    assert StoredSeries.read(store, model).identity != page
    assert ingest(run, store).nothing_new


def keep_less(store: GraphStore, result: CheckpointResult) -> None:
    """Store a result as a program did that measured nothing by block."""
    excess = {null: replace(one, by_block={}) for null, one in (result.excess or {}).items()}
    document = to_json(replace(result, excess=excess))
    store.write(
        lambda transaction: transaction.rows(
            "write/describe_spectrum", id=result.analysis_hash, properties={"document": document}
        )
    )
