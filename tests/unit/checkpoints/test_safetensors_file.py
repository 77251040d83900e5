"""Headers that lie: each is refused as `CorruptFile` naming the file and the fault (promise 15)."""

import json

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.formats.safetensors_file import read_safetensors
from neuromfa.checkpoints.transport.byte_source import LocalFile
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import CorruptFile

from .making import entry, safetensors_bytes

DATA = bytes(24)
GOOD = json.dumps({"w": entry()}).encode()
DOUBLED = b'{"w": ' + json.dumps(entry()).encode() + b', "w": ' + json.dumps(entry()).encode() + b"}"
DEEP = b'{"w": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

FAULTS = {
    "empty file": (b"", "too short"),
    "seven bytes": (b"1234567", "too short"),
    "length 2^63": (safetensors_bytes(GOOD, DATA, length=2**63), "claims a header of 9223372036854775808"),
    "length 2^64 - 1": (safetensors_bytes(GOOD, DATA, length=2**64 - 1), "claims a header"),
    "length over 100 MB": (safetensors_bytes(GOOD, DATA, length=100_000_001), "claims a header"),
    "header cut off": (safetensors_bytes(GOOD, b"", length=len(GOOD) + 1), "cut off: a header"),
    "no json": (safetensors_bytes(b"{nothing", DATA), "not valid JSON"),
    "empty header": (safetensors_bytes(b"", DATA), "begins with zeros"),
    "not utf-8": (safetensors_bytes(b'{"\xff\xfe": 1}', DATA), "not valid JSON"),
    "a list": (safetensors_bytes(b"[]", DATA), "not a JSON object"),
    "deep json": (safetensors_bytes(DEEP, DATA), "nested too deeply"),
    "a flood of lists": (
        safetensors_bytes(b'{"w": [' + b"[]," * 2_100_000 + b"0]}", DATA),
        "more than 4000000",
    ),
    "long number": (safetensors_bytes(b'{"w": ' + b"9" * 10_000 + b"}", DATA), "not valid JSON"),
    "doubled name": (safetensors_bytes(DOUBLED, DATA), "'w' stands in it twice"),
    "entry no object": (safetensors_bytes({"w": 3}, DATA), "tensor w: its entry"),
    "entry without shape": (safetensors_bytes({"w": {"dtype": "F32"}}, DATA), "tensor w: its entry"),
    "data cut off": (safetensors_bytes({"w": entry()}, DATA[:-1]), "ends at byte 24 of 23"),
    "offsets beyond": (safetensors_bytes({"w": entry(offsets=(0, 2**62))}, DATA), "ends at byte"),
    "offset negative": (safetensors_bytes({"w": entry(offsets=(-24, 0))}, DATA), "not two numbers"),
    "offset a float": (safetensors_bytes({"w": entry(offsets=(0.0, 24))}, DATA), "not two numbers"),
    "offset true": (safetensors_bytes({"w": entry(offsets=(True, 24))}, DATA), "not two numbers"),
    "offset 2^63": (safetensors_bytes({"w": entry(offsets=(2**63, 2**63 + 24))}, DATA), "not two numbers"),
    "three offsets": (safetensors_bytes({"w": entry(offsets=(0, 12, 24))}, DATA), "not two numbers"),
    "backwards": (safetensors_bytes({"w": entry(offsets=(24, 0))}, DATA), "run backwards"),
    "shape too small": (safetensors_bytes({"w": entry(shape=(2, 2))}, DATA), "does not take 24 bytes"),
    "shape wraps 2^64": (safetensors_bytes({"w": entry(shape=(2**62, 4, 6))}, DATA), "does not take 24"),
    "shape negative": (safetensors_bytes({"w": entry(shape=(-2, -3))}, DATA), "not a list of sizes"),
    "shape a text": (safetensors_bytes({"w": {**entry(), "shape": "23"}}, DATA), "not a list of sizes"),
    "too many axes": (safetensors_bytes({"w": entry(shape=(1,) * 40)}, DATA), "not a list of sizes"),
    "overlap": (
        safetensors_bytes({"a": entry(), "b": entry(shape=(1, 3), offsets=(12, 24))}, DATA),
        "tensors a and b lie over one another",
    ),
    "same bytes twice": (safetensors_bytes({"a": entry(), "b": entry()}, DATA), "lie over one another"),
    "overlap hidden by an empty one": (
        safetensors_bytes(
            {"a": entry(), "e": entry(shape=(0,), offsets=(12, 12)), "z": entry("U8", (9,), (13, 22))}, DATA
        ),
        "lie over one another",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_file(tmp_path, fault):
    content, message = FAULTS[fault]
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(CorruptFile, match=message) as refused:
        open_tensors(LocalFolder(tmp_path))
    assert "model.safetensors" in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_a_header_of_200_mb_is_refused_without_reading_it(tmp_path):
    path = tmp_path / "big.safetensors"
    with path.open("wb") as file:
        file.write((200_000_000).to_bytes(8, "little"))
        file.truncate(200_000_100)
    source = LocalFile(path)
    with pytest.raises(CorruptFile, match="claims a header of 200000000 bytes; at most 100000000"):
        read_safetensors(source)
    assert source.traffic.bytes_read == 8


def test_a_tensor_without_numbers_is_listed_and_refused_when_read(tmp_path):
    header = {"none": entry(shape=(0, 4), offsets=(0, 0)), "vast": entry(shape=(2**60, 0), offsets=(0, 0))}
    (tmp_path / "model.safetensors").write_bytes(safetensors_bytes(header | {"w": entry()}, DATA))
    tensors = open_tensors(LocalFolder(tmp_path))
    assert tensors.names() == ("none", "vast", "w")
    assert tensors.read("w").shape == (2, 3)
    for name in ("none", "vast"):
        with pytest.raises(CorruptFile, match=f"{name} .* holds no numbers"):
            tensors.read(name)


def test_metadata_is_no_tensor(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    safetensors.numpy.save_file({"w": array}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert open_tensors(LocalFolder(tmp_path)).names() == ("w",)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__" and "\x00" not in name),
        st.tuples(st.sampled_from(["<f4", "<f8", "<f2", "<i8"]), st.lists(st.integers(1, 4), max_size=4)),
        max_size=5,
    )
)
def test_what_the_safetensors_library_writes_is_read_equal(tmp_path_factory, plan):
    folder = tmp_path_factory.getbasetemp() / "library"
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(2)
    arrays = {name: rng.normal(size=shape).astype(code) * 9 for name, (code, shape) in plan.items()}
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    safetensors.numpy.save_file(arrays, folder / "model.safetensors")
    tensors = open_tensors(LocalFolder(folder))
    assert set(tensors.names()) == set(arrays)
    for name, array in arrays.items():
        assert tensors.read(name).tobytes() == array.tobytes()
