"""A store as one file: put back on either server it is the same store, bit by bit."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.errors import OptionError, StoreError
from neuromfa.graph import GraphStore, open_store
from neuromfa.graph.backup import restore, save
from neuromfa.graph.result_io import StoredPoint
from neuromfa.ingest.verify import verify
from tests.integration.conftest import Server

MODELS = ("org/alone", "stdlib-14m")


def silent(done: int, total: int, doing: str) -> None:
    assert 0 <= done <= total and doing


@pytest.fixture(scope="module")
def original(filled_dir: Path) -> Iterator[GraphStore]:
    with open_store(data_dir=filled_dir) as store:
        yield store


@pytest.fixture(scope="module")
def file(original: GraphStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backup") / "store.zip"
    assert save(original, path, progress=silent) == 4  # two checkpoints share one
    return path


@pytest.fixture
def restored(file: Path, server: Server) -> Iterator[GraphStore]:
    """The backup in a server of each kind, and out of it again."""
    with server.open() as store:
        assert restore(store, file, progress=silent) == 4
        yield store
        for model in MODELS:
            store.delete_model(model)


def points_of(store: GraphStore, model: str, options_hash: str) -> list[StoredPoint]:
    """Return the points of a series without their serial, which each store counts for itself."""
    return [replace(one, serial=0) for one in store.points(model, options_hash=options_hash)]


def test_what_comes_back_is_what_was_kept(original: GraphStore, restored: GraphStore, file: Path) -> None:
    for model in MODELS:
        assert restored.model(model) == original.model(model)
        assert restored.analyses(model) == original.analyses(model)
        assert restored.scores(model) == original.scores(model)
        for analysis in original.analyses(model):
            chosen = analysis.options_hash
            assert restored.results(model, options=chosen) == original.results(model, options=chosen)
            assert points_of(restored, model, chosen) == points_of(original, model, chosen)
        for record in original.each_checkpoint(model):
            was, now = original.samples(model, record.step), restored.samples(model, record.step)
            assert [(one.graph_hash, one.checksum) for one in now] == [
                (one.graph_hash, one.checksum) for one in was
            ]
    assert all(one.agrees for one in verify(restored, "stdlib-14m"))
    with pytest.raises(OptionError, match="org/alone, stdlib-14m are in the store already"):
        restore(restored, file, progress=silent)


def test_a_changed_graph_is_not_put_back(file: Path, server: Server, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(broken, "w") as out:
        graphs = [name for name in whole.namelist() if name.startswith("graphs/")]
        for name in whole.namelist():
            other = graphs[(graphs.index(name) + 1) % len(graphs)] if name in graphs else name
            out.writestr(name, whole.read(other))
    with server.open() as store:
        with pytest.raises(StoreError, match="checksum"):
            restore(store, broken, progress=silent)
        store.delete_model(MODELS[0])  # the first graph ended it


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no zip at all"])
def test_what_is_no_backup_is_refused(content: bytes, original: GraphStore, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(OptionError, match="is no backup of a store"):
        restore(original, path, progress=silent)
    with pytest.raises(OptionError, match="cannot read"):
        restore(original, tmp_path / "nothing.zip", progress=silent)


def test_nothing_is_left_where_it_cannot_be_written(original: GraphStore, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot write"):
        save(original, tmp_path / "no" / "store.zip", progress=silent)
    assert not list(tmp_path.iterdir())
