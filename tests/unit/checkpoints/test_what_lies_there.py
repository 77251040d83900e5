"""What was found, not only what was looked for: every heap that is no checkpoint is told for what it is."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.errors import CheckpointMissing, CorruptFile, SourceError

from .lie_about import CONFIG, neox, write_config, write_model, write_torch, write_weights

NOBODY = 65534
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 5301880\n"


def read(folder):
    (checkpoint,) = open_series(str(folder)).checkpoints
    return sample_checkpoint(checkpoint, nodes=6, seeds=[0], row_rule="exact")


@pytest.mark.parametrize("filename", ["model.safetensors", "pytorch_model.bin", "last.ckpt", "config.json"])
def test_a_git_lfs_pointer_in_place_of_a_file(tmp_path, filename):
    folder = write_config(tmp_path / "m") if filename != "config.json" else write_model(tmp_path / "m")
    (folder / filename).write_text(POINTER)
    with pytest.raises(CheckpointMissing, match=f"{filename} is a git-lfs pointer.* run `git lfs pull`"):
        read(folder)


@pytest.mark.parametrize("filename", ["model.safetensors.index.json", "pytorch_model.bin.index.json"])
def test_a_pointer_in_place_of_an_index(tmp_path, filename):
    (write_config(tmp_path / "m") / filename).write_text(POINTER)
    with pytest.raises(CheckpointMissing, match="is a git-lfs pointer"):
        read(tmp_path / "m")


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (b"<!DOCTYPE html><html>", CorruptFile, "a page of a web server"),
        (b"<?xml version='1.0'?><Error>", CorruptFile, "a page of a web server"),
        (b"Entry not found, sorry", CorruptFile, "is text, not weights: it begins with 'Entry no"),
        (b"/annex/objects/SHA256E-s53--ab", CheckpointMissing, "run `git annex get`"),
        (bytes(200), CorruptFile, "begins with zeros"),
    ],
)
@pytest.mark.parametrize("filename", ["model.safetensors", "pytorch_model.bin", "last.ckpt"])
def test_what_stands_in_place_of_a_file(tmp_path, content, kind, told, filename):
    (write_config(tmp_path / "m") / filename).write_bytes(content)
    with pytest.raises(kind, match=told):
        read(tmp_path / "m")


def test_weights_of_more_blocks_than_config_speaks_of(tmp_path):
    config = CONFIG | {"num_hidden_layers": 1}
    with pytest.raises(
        CorruptFile, match="speaks of 1 blocks, but there are weights of more, such as .*layers.1"
    ):
        read(write_model(tmp_path / "m", config=config))
    assert read(write_model(tmp_path / "further", config=config | {"num_nextn_predict_layers": 1})).networks


def test_weights_without_config_name_what_the_family_needs(tmp_path):
    write_weights(tmp_path / "m" / "model.safetensors", neox())
    with pytest.raises(
        CheckpointMissing,
        match="has no config.json; gpt_neox needs num_hidden_layers, hidden_size, num_attention_heads",
    ):
        read(tmp_path / "m")


@pytest.mark.parametrize("nest", ["text_config", "llm_config"])
def test_sizes_of_a_model_inside_another_one(tmp_path, nest):
    plain = read(write_model(tmp_path / "plain"))
    for outer in ("gpt_neox", "newer"):
        inside = read(write_model(tmp_path / outer, config={"model_type": outer, nest: CONFIG}))
        assert inside.link_hashes == plain.link_hashes


def test_sizes_under_another_key_of_config(tmp_path):
    with pytest.raises(CorruptFile, match="keeps num_hidden_layers .*under model"):
        read(write_model(tmp_path / "m", config={"model_type": "gpt_neox", "model": CONFIG}))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["zero_to_fp32.py", "global_step500/"], "DeepSpeed ZeRO .*python zero_to_fp32.py"),
        (["global_step500/zero_pp_rank_0_mp_rank_00_optim_states.pt", "latest"], "DeepSpeed ZeRO"),
        (["bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt"], "DeepSpeed ZeRO"),
        (["pytorch_model_fsdp_0/__0_0.distcp", "optimizer_0/"], "FSDP .*accelerate merge-weights"),
        (["__0_0.distcp"], "without the .metadata"),
        (["model_index.json", "unet/diffusion_pytorch_model.safetensors"], "a pipeline of diffusers"),
        (["config.json", "model.safetensors.part"], "a download or a save that has not come to its end"),
        (["model.safetensors.dvc"], "run `dvc pull`"),
        (["model.tar.gz", "README.md"], "an archive .* unpack it"),
        (["weights.npz"], "another program"),
        (["layer_00-model_00-model_states.pt", "mp_rank_00_model_states.pt"], "GPT-NeoX"),
        (["mp_rank_00/model_optim_rng.pt"], "Megatron-LM .*convert.py"),
        (["model.nemo"], "NeMo"),
        (["adapter_config.json"], "an adapter only"),
        (
            ["adapter_model.bin", "adapter_config.json", "training_args.bin", "optimizer.pt"],
            "an adapter only",
        ),
        (["m-Q4_K_M.gguf"], "a GGUF file"),
        (["flax_model.msgpack"], "Flax"),
        (["tf_model.h5", "config.json"], "TensorFlow"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_heaps_are_named_with_what_makes_weights_of_them(tmp_path, names, told, inside):
    folder = tmp_path / "checkpoint-500"
    folder.mkdir()
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"{}")
    with pytest.raises(CheckpointMissing, match=told):
        read(tmp_path if inside else folder)


def test_steps_or_weights_one_folder_deeper_are_pointed_at(tmp_path):
    write_model(tmp_path / "run/checkpoints/step1")
    with pytest.raises(
        CheckpointMissing, match="its folder checkpoints holds weights or steps: name that one"
    ):
        read(tmp_path / "run")
    write_model(tmp_path / "other/step1/hf")
    with pytest.raises(CheckpointMissing, match="step1 has no weights; .*its folder hf holds weights"):
        read(tmp_path / "other")


def test_what_is_there_in_place_of_a_checkpoint_is_listed(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").write_text("")
    with pytest.raises(CheckpointMissing, match="holds no checkpoint; .*; there is notes/, README.md"):
        read(tmp_path)


@pytest.fixture
def forbidden():
    """A folder of everybody's, and the function that takes all rights to a path in it; root has none of its own."""
    with TemporaryDirectory() as name:
        own = os.geteuid()
        Path(name).chmod(0o755)

        def forbid(path):
            path.chmod(0)
            if own == 0:
                os.seteuid(NOBODY)

        forbid.root = Path(name)
        yield forbid
        os.seteuid(own)


def test_a_folder_that_may_not_be_looked_into_ends_only_itself(forbidden):
    for name in ("step1", "step2"):
        write_model(forbidden.root / name)
    forbidden(forbidden.root / "step2")
    series = open_series(str(forbidden.root))
    assert series.at(1).open().names()
    with pytest.raises(SourceError, match="step2 cannot be looked into: Permission denied"):
        series.at(2).open()


def test_a_folder_beside_the_steps_that_may_not_be_looked_into_ends_nothing(forbidden):
    for name in ("step1", "lost+found"):
        write_model(forbidden.root / name)
    forbidden(forbidden.root / "lost+found")
    assert [point.step for point in open_series(str(forbidden.root)).checkpoints] == [1]


@pytest.mark.parametrize("inside", ["", "run"])
def test_a_source_that_may_not_be_looked_into_says_so(forbidden, inside):
    write_model(forbidden.root / "a" / "run")
    forbidden(forbidden.root / "a")
    with pytest.raises(SourceError, match="cannot be looked into: Permission denied"):
        open_series(str(forbidden.root / "a" / inside))


def test_an_index_whose_shards_are_absent(tmp_path):
    folder = write_config(tmp_path / "m")
    shard = "model-00001-of-00002.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"w": shard}}))
    with pytest.raises(CheckpointMissing, match=f"lacks the shard {shard} that its index names; fetch"):
        read(folder)


def shards(folder, numbers, count):
    for number, (name, array) in zip(numbers, neox().items(), strict=False):
        write_weights(folder / f"model-{number:05}-of-{count:05}.safetensors", {name: array})
    return write_config(folder)


def test_shards_without_an_index_are_read_by_their_names_and_told(tmp_path):
    everything = list(neox().items())
    folder = write_config(tmp_path / "m")
    for number in range(3):
        write_weights(folder / f"model-0000{number + 1}-of-00003.safetensors", dict(everything[number::3]))
    found = read(folder)
    assert found.tensors.notes == ["3 shards read by their names: there is no index"]
    assert found.weights_hashes == read(write_model(tmp_path / "whole")).weights_hashes


@pytest.mark.parametrize(("numbers", "missing"), [([1, 3], 2), ([2, 3], 1), ([1, 2], 3)])
def test_a_shard_that_no_index_names_is_missed(tmp_path, numbers, missing):
    with pytest.raises(CheckpointMissing, match=f"lacks shard {missing} of 3"):
        read(shards(tmp_path / "m", numbers, 3))


def test_several_files_that_could_be_meant(tmp_path):
    folder = write_config(tmp_path / "m")
    for name in ("a.pt", "b.pt"):
        write_torch(folder / name, neox())
    with pytest.raises(CheckpointMissing, match=r"2 files that could be its weights \(a.pt, b.pt\)"):
        read(folder)


def test_slices_of_every_matrix_are_not_joined(tmp_path):
    folder = write_config(tmp_path / "m")
    for name in ("consolidated.00.pth", "consolidated.01.pth"):
        write_torch(folder / name, {"w": np.ones((2, 2), np.float32)})
    with pytest.raises(CheckpointMissing, match="2 slices of every matrix"):
        read(folder)
