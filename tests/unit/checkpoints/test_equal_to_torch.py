"""Every container and number format gives torch's numbers, bit for bit (tests/data/make_tensors.py)."""

import numpy as np
import pytest

from neuromfa.checkpoints.formats.dtypes import DTYPES, decode
from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.transport.folder import LocalFolder

from .making import DATA

CONTAINERS = {"safetensors": 11, "zip": 18, "legacy": 16, "sharded": 9, "sharded_bin": 9}
NARROW = ("float16", "bfloat16", "float32", "float8_e4m3fn", "float8_e5m2")


@pytest.fixture(scope="module")
def expected():
    with np.load(DATA / "expected_float64.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("container", CONTAINERS)
def test_all_numbers_bit_for_bit(container, expected):
    tensors = open_tensors(LocalFolder(DATA / container))
    assert len(tensors.names()) == CONTAINERS[container]
    for name in tensors.names():
        with np.errstate(invalid="ignore"):
            seen = tensors.read(name).astype(np.float64)
        assert seen.shape == expected[name].shape == tensors.info(name).shape
        assert seen.tobytes() == expected[name].tobytes(), name


@pytest.mark.parametrize("container", CONTAINERS)
def test_samples_are_parts_of_the_whole(container, expected):
    tensors = open_tensors(LocalFolder(DATA / container))
    rng = np.random.default_rng(3)
    for name in tensors.names():
        whole = tensors.read(name)
        if whole.ndim < 2:
            continue
        rows, columns = (rng.integers(0, size, 5) for size in whole.shape[:2])
        sample = tensors.read(name, rows=rows, columns=columns)
        assert sample.tobytes() == whole[rows][:, columns].tobytes(), name
        assert tensors.read(name, rows=rows).tobytes() == whole[rows].tobytes(), name
        assert tensors.read(name, columns=columns).tobytes() == whole[:, columns].tobytes(), name


def test_fixture_holds_hard_numbers(expected):
    for name in NARROW[:3]:
        numbers = expected[name]
        assert np.isnan(numbers).any()
        assert np.isinf(numbers).any()
    assert (np.abs(expected["bfloat16"][np.isfinite(expected["bfloat16"])]) > 1e38).any()
    subnormal = np.abs(expected["float16"])
    assert ((subnormal > 0) & (subnormal < 2**-14)).any()


def test_bfloat16_is_the_upper_half_of_float32():
    every = np.arange(2**16, dtype=np.uint16)
    wide = decode(every, DTYPES["bfloat16"])
    assert wide.dtype == np.float32
    assert (wide.view(np.uint32) >> 16 == every).all()
    assert (wide.view(np.uint32) & 0xFFFF == 0).all()


def test_float8_values_by_hand():
    e4m3 = decode(np.array([0x00, 0x01, 0x38, 0x7E, 0xC0, 0x08], np.uint8), DTYPES["float8_e4m3fn"])
    assert e4m3.tolist() == [0.0, 2.0**-9, 1.0, 448.0, -2.0, 2.0**-6]
    e5m2 = decode(np.array([0x01, 0x3C, 0x7B, 0xFC], np.uint8), DTYPES["float8_e5m2"])
    assert e5m2.tolist() == [2.0**-16, 1.0, 57344.0, -np.inf]


def test_tied_tensors_are_two_names_for_the_same_bytes():
    for container in ("zip", "legacy"):
        tensors = open_tensors(LocalFolder(DATA / container))
        before = tensors.bytes_read
        first = tensors.read("tied.first")
        once = tensors.bytes_read - before
        assert (tensors.read("tied.second") == first).all()
        assert (tensors.read("transposed").T == first).all()
        assert tensors.bytes_read - before <= 3 * once


def test_one_checkpoint_may_mix_number_formats():
    tensors = open_tensors(LocalFolder(DATA / "safetensors"))
    assert {tensors.info(name).dtype for name in NARROW} == set(NARROW)
