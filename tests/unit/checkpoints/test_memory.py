"""Promise 17: a checkpoint of 2 GB is sampled within 200 MB, whatever its container."""

import json
import subprocess
import sys

import pytest

from tests.attacks.exploits import legacy, state, tensor

from .making import entry

MATRICES, ROWS, COLUMNS = 8, 16_384, 4096
MATRIX_BYTES = 4 * ROWS * COLUMNS
LIMIT_KB = 200_000

PROGRAM = """
import re, sys
import numpy as np
from pathlib import Path
from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.checkpoints.formats.tensor_store import read_picks
tensors = open_tensors(LocalFolder(Path(sys.argv[1])))
rng = np.random.default_rng(0)
for name in tensors.names():
    shape = tensors.info(name).shape
    picks = [(rng.choice(shape[0], 64, replace=False), rng.choice(shape[1], 64, replace=False)) for _ in range(10)]
    assert all(not sample.any() for sample in read_picks(tensors, name, picks))
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1], tensors.bytes_read)
"""


def sparse_safetensors(folder):
    """Write a file of 2 GB that takes no room on disk."""
    header = {
        f"layer.{k}": entry(shape=(ROWS, COLUMNS), offsets=(k * MATRIX_BYTES, (k + 1) * MATRIX_BYTES))
        for k in range(MATRICES)
    }
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + MATRICES * MATRIX_BYTES)


def sparse_bin(folder):
    """Write one matrix of 2 GB, and its transpose over the same bytes, as torch did before 1.6."""
    numel = MATRICES * ROWS * COLUMNS
    wide = tensor(numel=numel, shape=(ROWS, MATRICES * COLUMNS), strides=(MATRICES * COLUMNS, 1))
    turned = tensor(numel=numel, shape=(MATRICES * COLUMNS, ROWS), strides=(1, MATRICES * COLUMNS))
    head = legacy(state(("wide", wide), ("turned", turned)), numel=numel, tail=b"")
    with (folder / "pytorch_model.bin").open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 4 * numel)


@pytest.mark.slow
@pytest.mark.parametrize("write", [sparse_safetensors, sparse_bin])
def test_two_gigabytes_are_sampled_within_200_mb(tmp_path, write):
    write(tmp_path)
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    peak, read = map(int, answer.stdout.split())
    assert peak < LIMIT_KB
    assert read < MATRICES * MATRIX_BYTES
