"""Sampled reads: the right numbers, in the order asked for, and no more bytes than they need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.formats.tensor_store import read_picks
from neuromfa.checkpoints.transport import byte_source
from neuromfa.checkpoints.transport.byte_source import LocalFile, affordable_gap, read_bytes, read_records
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat, UnsupportedFormat

from .making import DATA, entry, safetensors_bytes, write_tensors
from .memory import MemoryTensors


@pytest.fixture
def arrays():
    rng = np.random.default_rng(1)
    return {
        "matrix": rng.normal(size=(50, 30)).astype(np.float16),
        "kernel": rng.normal(size=(6, 5, 3, 3)).astype(np.float32),
        "vector": rng.normal(size=9),
        "half": rng.integers(0, 2**16, (40, 20), dtype=np.uint16),
    }


@pytest.fixture
def tensors(tmp_path, arrays):
    write_tensors(tmp_path / "model.safetensors", arrays)
    return open_tensors(LocalFolder(tmp_path))


def test_rows_and_columns_in_the_order_asked_for(tensors, arrays):
    rows, columns = np.array([40, 3, 3, 49]), np.array([29, 0, 5])
    assert (tensors.read("matrix", rows=rows, columns=columns) == arrays["matrix"][rows][:, columns]).all()
    assert (tensors.read("matrix", rows=rows) == arrays["matrix"][rows]).all()
    assert (tensors.read("matrix", columns=columns) == arrays["matrix"][:, columns]).all()
    assert (tensors.read("vector", rows=np.array([8, 0])) == arrays["vector"][[8, 0]]).all()


def test_dtype_stays_and_bfloat16_widens(tensors):
    assert tensors.read("matrix", rows=np.array([1])).dtype == np.float16
    assert tensors.read("vector").dtype == np.float64
    assert tensors.info("half").dtype == "bfloat16"
    assert tensors.read("half", rows=np.array([1])).dtype == np.float32


def test_kernels_are_sampled_by_channel(tensors, arrays):
    rows, columns = np.array([5, 0]), np.array([2, 2, 4])
    sample = tensors.read("kernel", rows=rows, columns=columns)
    assert sample.shape == (2, 3, 3, 3)
    assert (sample == arrays["kernel"][rows][:, columns]).all()


def test_no_rows_give_an_empty_array_and_read_nothing(tensors):
    before = tensors.requests
    none = np.array([], np.int64)
    assert tensors.read("matrix", rows=none, columns=np.array([1, 2])).shape == (0, 2)
    assert tensors.read("matrix", rows=np.array([3]), columns=none).shape == (1, 0)
    assert tensors.requests == before


@pytest.mark.parametrize("rows", [[-1], [50], [2**40]])
def test_an_index_outside_is_an_error_that_names_tensor_and_shape(tensors, rows):
    with pytest.raises(IndexError, match=r"matrix .* has shape \(50, 30\)"):
        tensors.read("matrix", rows=np.array(rows))


def test_columns_of_a_vector_are_an_error(tensors):
    with pytest.raises(IndexError, match="no axis 1"):
        tensors.read("vector", columns=np.array([0]))


def test_unknown_tensor_is_named(tensors):
    with pytest.raises(CheckpointMissing, match="no tensor nothing"):
        tensors.info("nothing")


@pytest.mark.parametrize("name", ["matrix", "kernel", "half"])
def test_picks_equal_single_reads(tensors, name):
    rng = np.random.default_rng(5)
    shape = tensors.info(name).shape
    picks = [(rng.integers(0, shape[0], 7), rng.integers(0, shape[1], 4)) for _ in range(3)]
    picks.append((rng.integers(0, shape[0], 2), rng.integers(0, shape[1], 5)))
    for chosen in (picks[:3], picks):
        for found, (rows, columns) in zip(read_picks(tensors, name, chosen), chosen, strict=True):
            assert found.tobytes() == tensors.read(name, rows=rows, columns=columns).tobytes()


def test_picks_of_any_other_store_are_the_same(tensors, arrays):
    picks = [(np.array([4, 1]), np.array([0, 9])), (np.array([49]), np.array([29]))]
    stores = (tensors, MemoryTensors(arrays))
    for one, other in zip(*(read_picks(store, "matrix", picks) for store in stores), strict=True):
        assert (one == other).all()


@pytest.mark.parametrize("name", ["transposed", "inner", "every_second", "tied.first"])
@pytest.mark.parametrize("container", ["zip", "legacy"])
def test_picks_of_views_are_those_of_the_whole(container, name):
    tensors = open_tensors(LocalFolder(DATA / container))
    whole = tensors.read(name)
    picks = [(np.array([2, 0]), np.array([1, 0, 1])), (np.array([1]), np.array([2, 0, 1]))]
    for found, (rows, columns) in zip(read_picks(tensors, name, picks), picks, strict=True):
        assert (found == whole[rows][:, columns]).all()


def test_picks_read_a_shared_row_once(tmp_path):
    write_tensors(tmp_path / "model.safetensors", {"w": np.ones((1000, 10_000), np.float32)})
    tensors = open_tensors(LocalFolder(tmp_path))
    before, columns = tensors.bytes_read, np.array([0, 1])
    read_picks(tensors, "w", [(np.array([7, 500]), columns), (np.array([500, 7]), columns)])
    assert tensors.bytes_read - before == 2 * 40_000


def test_a_sample_reads_its_rows_and_the_small_gaps_between(tmp_path):
    write_tensors(tmp_path / "model.safetensors", {"w": np.ones((1000, 1024), np.float32)})
    tensors = open_tensors(LocalFolder(tmp_path))
    before = tensors.bytes_read, tensors.requests
    tensors.read("w", rows=np.array([10, 11, 14, 500]), columns=np.array([3]))
    assert tensors.bytes_read - before[0] == (5 + 1) * 4096
    assert tensors.requests - before[1] == 2


def test_scaled_float8_is_refused_and_plain_float8_is_read(tmp_path):
    header = {
        "a": entry("F8_E4M3", (2, 2), (0, 4)),
        "a_scale": entry("F32", (), (4, 8)),
        "b": entry("F8_E4M3", (2, 2), (8, 12)),
    }
    (tmp_path / "model.safetensors").write_bytes(safetensors_bytes(header, bytes([0x38] * 12)))
    tensors = open_tensors(LocalFolder(tmp_path))
    assert tensors.read("b").tolist() == [[1, 1], [1, 1]]
    with pytest.raises(UnsupportedFormat, match=r"a .* scales in a_scale, which are not applied"):
        tensors.read("a")


def test_a_number_format_that_is_not_read_is_named_when_it_is_wanted(tmp_path):
    header = {"odd": entry("F4", (4, 4), (0, 8)), "plain": entry("F32", (1, 1), (8, 12))}
    (tmp_path / "model.safetensors").write_bytes(safetensors_bytes(header, bytes(12)))
    tensors = open_tensors(LocalFolder(tmp_path))
    assert tensors.info("odd").dtype == "F4"
    assert tensors.read("plain").tolist() == [[0]]
    with pytest.raises(UnsupportedFormat, match="odd .* is stored as F4"):
        tensors.read("odd")


def test_a_file_cut_off_after_it_was_opened_is_corrupt(tmp_path):
    path = write_tensors(tmp_path / "model.safetensors", {"w": np.ones((1000, 1000), np.float32)})
    tensors = open_tensors(LocalFolder(tmp_path))
    with path.open("r+b") as file:
        file.truncate(10_000)
    with pytest.raises(CorruptFile, match="cut off meanwhile"):
        tensors.read("w", rows=np.array([900]))


@given(st.data())
@settings(max_examples=60)
def test_records_come_whole_and_in_place(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "records"
    if not path.exists():
        path.write_bytes(np.random.default_rng(0).bytes(64 * 300))
    indices = np.array(sorted(data.draw(st.sets(st.integers(0, 299), min_size=1))))
    source = LocalFile(path)
    source.batch_bytes = data.draw(st.sampled_from([1, 64, 640, 1 << 20]))
    source.gap = lambda starts, length: data.draw(st.sampled_from([0, 64, 1000, 1 << 14]))
    whole = np.frombuffer(path.read_bytes(), np.uint8).reshape(300, 64)
    seen = np.empty((indices.size, 64), np.uint8)
    for batch in read_records(source, 0, 64, indices):
        seen[batch.asked] = batch.records[batch.positions]
    assert (seen == whole[indices]).all()


@given(st.sets(st.integers(0, 5000), min_size=1), st.integers(1, 10_000))
def test_affordable_gaps_keep_within_twice_the_bytes(indices, length):
    starts = np.array(sorted(indices)) * length
    gap = affordable_gap(starts, length)
    gaps = np.diff(starts) - length
    assert gaps[gaps <= gap].sum() <= byte_source.GAP_BUDGET * starts.size * length
    if gap == 0 and gaps.size and gaps.min() > 0:
        taken = np.count_nonzero(gaps == gaps.min()) * gaps.min()
        assert (
            taken > byte_source.GAP_BUDGET * starts.size * length or gaps.min() > byte_source.REMOTE_GAP_BYTES
        )


def test_a_range_outside_the_file_is_corrupt(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    source = LocalFile(tmp_path / "f")
    assert read_bytes(source, 1, 3).tobytes() == b"234"
    for start, length in ((-1, 2), (0, -1), (3, 3), (2**62, 2**62)):
        with pytest.raises(CorruptFile, match="has 5 bytes"):
            read_bytes(source, start, length)


def test_closing_twice_is_harmless_and_forgetting_closes(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    source = LocalFile(tmp_path / "f")
    source.close()
    source.close()
    forgotten = LocalFile(tmp_path / "f")
    finalizer = forgotten._finalizer
    del forgotten
    assert not finalizer.alive


def test_only_regular_files_are_opened(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsafeFormat, match="not a regular file"):
        LocalFile(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with pytest.raises(CheckpointMissing, match="cannot be opened"):
        LocalFile(tmp_path / "link")
