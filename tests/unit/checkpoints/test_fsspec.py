"""Any address fsspec knows: listing, ranges, and one sentence for whatever a driver raises."""

import fsspec
import numpy as np
import pytest
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.byte_source import read_bytes
from neuromfa.checkpoints.transport.fsspec_folder import FsspecFile, FsspecFolder
from neuromfa.errors import CheckpointMissing, CorruptFile, OptionError, SourceError

from .making import DATA, write_tensors


@pytest.fixture
def memory():
    """fsspec's filesystem in memory, empty before and after."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


@pytest.fixture
def run(memory, tmp_path):
    """A run of three steps in memory; step n holds a matrix of n."""
    for step in (0, 8, 100):
        path = write_tensors(tmp_path / "w", {"w": np.full((300, 50), step, np.float32)})
        memory.pipe(f"/bucket/run/step{step}/model.safetensors", path.read_bytes())
    memory.pipe("/bucket/run/log.txt", b"")
    return "memory://bucket/run"


def test_steps_by_listing(run):
    series = open_series(run)
    assert series.id == "run"
    assert [(point.step, point.revision) for point in series.checkpoints] == [
        (0, "step0"),
        (8, "step8"),
        (100, "step100"),
    ]
    assert series.at(8).open().read("w", rows=np.array([299]), columns=np.array([49])).tolist() == [[8]]


def test_weights_beside_the_steps_are_told(run, memory):
    memory.pipe("/bucket/run/final/model.safetensors", b"x")
    assert open_series(run).left_out == ("final/ holds weights and its name tells no step",)


def test_a_chain_is_refused_without_the_password_in_it():
    with pytest.raises(OptionError, match="zip://x chains filesystems") as refused:
        open_series("zip://x::http://user:secret@host/y")
    assert "secret" not in str(refused.value)


def test_a_driver_that_fails_as_it_is_made_is_told():
    with pytest.raises(SourceError, match=r"ftp://127.0.0.1:9/run cannot be opened: ConnectionRefused"):
        open_series("ftp://user:secret@127.0.0.1:9/run")


def test_a_naming_in_the_address(run):
    assert [point.step for point in open_series(f"{run}/step{{n}}").checkpoints] == [0, 8, 100]


def test_one_folder_is_one_checkpoint(run):
    assert [point.step for point in open_series(f"{run}/step8").checkpoints] == [None]


@pytest.mark.parametrize("container", ["safetensors", "zip", "legacy", "sharded", "sharded_bin"])
def test_every_container(memory, container):
    for path in (DATA / container).iterdir():
        memory.pipe(f"/c/{path.name}", path.read_bytes())
    tensors = open_tensors(FsspecFolder("memory://c"))
    for name in tensors.names():
        assert tensors.read(name).shape == tensors.info(name).shape


def test_a_sample_costs_at_most_twice_its_bytes(run):
    tensors = open_series(run).at(8).open()
    before = tensors.bytes_read
    rows = np.arange(0, 300, 7)
    tensors.read("w", rows=rows)
    assert rows.size * 200 <= tensors.bytes_read - before <= 2 * rows.size * 200


def test_a_filesystem_that_works_asynchronously_gets_many_ranges_at_once(memory, monkeypatch):
    content = np.random.default_rng(0).bytes(100_000)
    memory.pipe("/f", content)
    filesystem = AsyncFileSystemWrapper(memory, asynchronous=False)
    calls = []
    once = filesystem.cat_ranges
    monkeypatch.setattr(
        filesystem, "cat_ranges", lambda *ranges, **how: calls.append(1) or once(*ranges, **how)
    )
    source = FsspecFile(filesystem, "/f", name="f")
    starts = np.arange(0, 90_000, 300)
    buffer = np.empty(starts.size * 10, np.uint8)
    source.read_into(starts, np.full(starts.size, 10), buffer)
    assert buffer.tobytes() == b"".join(content[start : start + 10] for start in starts)
    assert (source.traffic.requests, source.traffic.bytes_read, len(calls)) == (300, 3000, 2)


def test_a_file_that_shrinks_is_corrupt(memory):
    memory.pipe("/f", bytes(100))
    source = FsspecFile(memory, "/f", name="f")
    source.size = 200
    with pytest.raises(CorruptFile, match="f gave 0 bytes where 50 were asked for"):
        read_bytes(source, 150, 50)


def test_nothing_there(memory):
    with pytest.raises(CheckpointMissing, match="memory://none is not there"):
        open_series("memory://none")
    memory.pipe("/empty/log.txt", b"")
    with pytest.raises(CheckpointMissing, match="memory://empty holds no checkpoint; looked for"):
        open_series("memory://empty")


def test_what_a_driver_raises_is_told_in_one_sentence(run, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("token expired")

    monkeypatch.setattr(fsspec.filesystem("memory"), "ls", broken)
    with pytest.raises(SourceError, match="could not be read: RuntimeError: token expired"):
        open_series(run)


@pytest.mark.parametrize("address", ["nosuch://a/b", "s3://bucket/run"])
def test_a_driver_that_is_not_installed_is_named(address):
    with pytest.raises(SourceError, match=f"{address} cannot be opened: "):
        open_series(address)


def test_chained_filesystems_are_refused():
    with pytest.raises(OptionError, match="chains filesystems"):
        open_series("simplecache::memory://a")


def test_options_of_the_hub_are_refused(run):
    with pytest.raises(OptionError, match="--revision is for repositories of the hub"):
        open_series(run, revision="step0")


def test_a_fingerprint_tells_a_changed_file_without_reading(run, memory):
    def fingerprints():
        return [point.fingerprint() for point in open_series(run).checkpoints]

    before = fingerprints()
    assert None not in before and len(set(before)) == 3
    assert fingerprints() == before
    memory.pipe("/bucket/run/step8/config.json", b"{}")
    after = fingerprints()
    assert (after[0], after[2]) == (before[0], before[2]) and after[1] != before[1]
