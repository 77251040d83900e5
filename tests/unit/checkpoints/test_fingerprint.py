"""Fingerprints of folders on this machine: what changes them, and what does not."""

import os
from pathlib import Path

import numpy as np

from neuromfa.checkpoints import open_series
from neuromfa.checkpoints.transport.folder import LocalFolder, OneFile, fingerprint

from .making import write_tensors


def made(folder: Path) -> Path:
    """Return the weights of a checkpoint in a folder."""
    return write_tensors(folder / "model.safetensors", {"w": np.ones((4, 4), np.float32)})


def test_time_size_and_names_change_it(tmp_path: Path) -> None:
    weights, folder = made(tmp_path), LocalFolder(tmp_path)
    found = [fingerprint(folder)]
    assert fingerprint(folder) == found[0]
    os.utime(weights, ns=(1, 2))
    found.append(fingerprint(folder))
    os.utime(weights, ns=(1, 3))
    found.append(fingerprint(folder))
    weights.write_bytes(weights.read_bytes() + b"x")
    os.utime(weights, ns=(1, 3))
    found.append(fingerprint(folder))
    (tmp_path / "config.json").write_text("{}")
    found.append(fingerprint(folder))
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "0.distcp").touch()
    found.append(fingerprint(folder))
    assert None not in found and len(set(found)) == len(found)


def test_where_it_lies_does_not(tmp_path: Path) -> None:
    for name in ("a", "b"):
        os.utime(made(tmp_path / name), ns=(1, 2))
    assert fingerprint(LocalFolder(tmp_path / "a")) == fingerprint(LocalFolder(tmp_path / "b"))


def test_a_step_that_is_a_file_is_judged_by_that_file(tmp_path: Path) -> None:
    for step in (0, 8):
        made(tmp_path).rename(tmp_path / f"step{step}.safetensors")
    one = OneFile(LocalFolder(tmp_path), "step0.safetensors")
    before = fingerprint(one)
    (tmp_path / "step8.safetensors").touch()
    assert fingerprint(one) == before
    (tmp_path / "config.json").write_text("{}")
    assert fingerprint(one) not in (before, None)


def test_what_cannot_be_looked_at_has_none(tmp_path: Path) -> None:
    made(tmp_path / "step0")
    point = open_series(str(tmp_path)).checkpoints[0]
    assert point.fingerprint() is not None
    (tmp_path / "step0" / "model.safetensors").unlink()
    (tmp_path / "step0").rmdir()
    assert point.fingerprint() is None
