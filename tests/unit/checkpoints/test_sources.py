"""Folders: shards and their index, links, and what is said when something is not there (promise 20)."""

import json
import shutil

import numpy as np
import pytest

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat

from .making import DATA, write_step, write_tensors

ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = "model.safetensors.index.json"


@pytest.fixture
def sharded(tmp_path):
    """A checkpoint in two shards: a and b in the first, c in the second."""
    write_tensors(tmp_path / ONE, {"a": np.ones((2, 2)), "b": np.ones((2, 2)) * 2})
    write_tensors(tmp_path / TWO, {"c": np.ones((2, 2)) * 3})
    write_index(tmp_path, {"a": ONE, "b": ONE, "c": TWO})
    return tmp_path


def write_index(folder, weight_map):
    (folder / INDEX).write_text(json.dumps({"weight_map": weight_map}))


def test_shards_are_one_checkpoint(sharded):
    tensors = open_tensors(LocalFolder(sharded))
    assert tensors.names() == ("a", "b", "c")
    assert tensors.read("c").tolist() == [[3, 3], [3, 3]]


def test_a_missing_shard_is_named(sharded):
    (sharded / TWO).unlink()
    with pytest.raises(CheckpointMissing, match=f"lacks the shard {TWO}"):
        open_tensors(LocalFolder(sharded))


@pytest.mark.parametrize(
    "place",
    ["../outside.safetensors", "/etc/passwd", "sub/x.safetensors", "..\\x.safetensors", ".hidden.safetensors"]
    + ["x.pkl", "", "x\0.safetensors", "a.safetensors\n", 7, None, ["x.safetensors"]],
)
def test_an_index_that_points_elsewhere_is_unsafe(sharded, place):
    write_tensors(sharded.parent / "outside.safetensors", {"a": np.ones((2, 2))})
    write_index(sharded, {"a": ONE, "b": place})
    with pytest.raises(UnsafeFormat, match="only files beside it are read"):
        open_tensors(LocalFolder(sharded))


def test_an_index_that_promises_what_its_shard_lacks_is_corrupt(sharded):
    write_index(sharded, {"a": ONE, "b": ONE, "c": TWO, "d": TWO})
    with pytest.raises(CorruptFile, match=f"{TWO} does not hold tensor d"):
        open_tensors(LocalFolder(sharded))


def test_a_tensor_in_two_shards_is_corrupt(sharded):
    write_tensors(sharded / TWO, {"c": np.ones((2, 2)), "a": np.ones((2, 2))})
    with pytest.raises(CorruptFile, match="tensor a, which stands in another shard too"):
        open_tensors(LocalFolder(sharded))


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("{}", "has no weight_map"),
        ('{"weight_map": {}}', "has no weight_map"),
        ('{"weight_map": 3}', "has no weight_map"),
        ("[]", "not a JSON object"),
        ("{", "not valid JSON"),
        ('{"weight_map": {"a": "x.bin", "a": "y.bin"}}', "'a' stands in it twice"),
    ],
)
def test_a_broken_index_is_corrupt(sharded, index, message):
    (sharded / INDEX).write_text(index)
    with pytest.raises(CorruptFile, match=message):
        open_tensors(LocalFolder(sharded))


def test_shards_that_were_opened_are_closed_when_a_later_one_is_broken(sharded):
    import os

    (sharded / TWO).write_bytes(b"no")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(CorruptFile):
        open_tensors(LocalFolder(sharded))
    assert len(os.listdir("/proc/self/fd")) == before


def test_safetensors_come_before_bin(tmp_path):
    shutil.copy(DATA / "zip" / "pytorch_model.bin", tmp_path)
    write_step(tmp_path)
    assert open_tensors(LocalFolder(tmp_path)).names() == ("w",)


def test_a_folder_without_weights_says_what_was_looked_for(tmp_path):
    looked = (
        "model.safetensors, model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json"
    )
    with pytest.raises(CheckpointMissing, match=f"has no weights; looked for {looked}"):
        open_tensors(LocalFolder(tmp_path))


def test_config_comes_along_and_may_be_absent(tmp_path):
    assert open_tensors(LocalFolder(write_step(tmp_path))).config == {"model_type": "none"}
    (tmp_path / "config.json").unlink()
    assert open_tensors(LocalFolder(tmp_path)).config == {}


def test_a_broken_config_is_corrupt(tmp_path):
    write_step(tmp_path)
    (tmp_path / "config.json").write_text("nothing")
    with pytest.raises(CorruptFile, match="config.json is not valid JSON"):
        open_tensors(LocalFolder(tmp_path))


def test_a_link_inside_the_folder_is_followed(tmp_path):
    write_step(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "weights")
    (tmp_path / "model.safetensors").symlink_to("weights")
    assert open_tensors(LocalFolder(tmp_path)).names() == ("w",)


@pytest.mark.parametrize("filename", ["model.safetensors", "config.json"])
def test_a_link_out_of_the_folder_is_unsafe(tmp_path, filename):
    inside, outside = write_step(tmp_path / "inside"), write_step(tmp_path / "outside")
    (inside / filename).unlink()
    (inside / filename).symlink_to(outside / filename)
    with pytest.raises(UnsafeFormat, match=f"{filename} is a link that leads out"):
        open_tensors(LocalFolder(inside))


def test_a_folder_reached_by_a_link_is_read(tmp_path):
    write_step(tmp_path / "real")
    (tmp_path / "named").symlink_to("real")
    assert open_tensors(LocalFolder(tmp_path / "named")).names() == ("w",)


def test_a_snapshot_of_the_hub_cache_may_link_to_its_own_blobs_only(tmp_path):
    repository = tmp_path / "models--a--b"
    snapshot = repository / "snapshots" / ("0" * 40)
    write_step(repository / "blobs")
    write_step(tmp_path / "outside")
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to("../../blobs/model.safetensors")
    assert open_tensors(LocalFolder(snapshot)).names() == ("w",)
    (snapshot / "config.json").symlink_to(tmp_path / "outside" / "config.json")
    with pytest.raises(UnsafeFormat, match="leads out"):
        open_tensors(LocalFolder(snapshot))


def test_a_pipe_in_place_of_the_weights_is_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointMissing, match="has no weights"):
        open_tensors(LocalFolder(tmp_path))
