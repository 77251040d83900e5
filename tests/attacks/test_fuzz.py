"""A short fuzz run without any tool: thousands of mutated files are read or refused, nothing else (promise 16)."""

import numpy as np
import pytest

from .fuzz_reader import READERS, read_everything, seeds

ROUNDS = 1000
NASTY = (0, 1, 0x7F, 0x80, 0xFF)


def mutated(content, rng):
    """Return a file with a few bytes changed, a piece cut out, doubled or moved, or a number made huge."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        if not data:
            break
        # headers and directories stand at the ends
        place = int(
            rng.choice([rng.integers(0, min(600, len(data))), rng.integers(0, len(data)), len(data) - 1])
        )
        kind = rng.integers(0, 6)
        if kind == 0:
            data[place] = rng.integers(0, 256)
        elif kind == 1:
            data[place] = int(rng.choice(NASTY))
        elif kind == 2:
            del data[place : place + int(rng.integers(1, 40))]
        elif kind == 3:
            data[place:place] = data[place : place + int(rng.integers(1, 40))]
        elif kind == 4:
            data[place : place + 8] = rng.bytes(8)
        else:
            del data[place:]
    return bytes(data)


@pytest.mark.parametrize("place", range(len(seeds())))
def test_mutated_files_are_read_or_refused(place):
    rng = np.random.default_rng(place)
    content = seeds()[place]
    assert any(read_everything(content, reader) for reader in READERS), "the seed itself must be readable"
    read = sum(read_everything(mutated(content, rng), reader) for _ in range(ROUNDS) for reader in READERS)
    assert 0 < read < ROUNDS * len(READERS)


def test_random_bytes_are_refused():
    rng = np.random.default_rng(0)
    for size in range(200):
        for reader in READERS:
            assert not read_everything(rng.bytes(size), reader)
