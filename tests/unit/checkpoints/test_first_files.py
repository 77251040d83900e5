"""First architecture files for models that nobody knows: every tiny model under other names, and odd ones."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from neuromfa.app.cli.architectures import architectures
from neuromfa.checkpoints.architecture.trial import Trial, first_draft, try_checkpoint
from neuromfa.checkpoints.sampling.networks import sample_networks
from neuromfa.errors import CheckpointMissing, OptionError, SourceError
from tests.data.models import MODELS, named, tiny_model
from tests.unit.checkpoints.memory import MemoryTensors

NUMBERED = re.compile(r"\.(?:layers|layer|h|blocks|block)\.(\d+)\.")

# What names and shapes cannot tell, and what is said of it; another part of the model may be read.
OTHERWISE = {
    "bart": "another part",
    "whisper": "another part",
    "t5_encoder_gated": "another part",
    "clip": "another part",
    "qwen2_moe_shared": "another part",
    "glm4_moe_shared": "another part",
    "deberta": "one after the other",
    "falcon": "one after the other",
    "gpt_oss": "gates lie in their tensor before the units",
    "deepseek_v2_lite": "attention cannot be made out",
}
# Chains of two matrices in attention behind leading blocks, state spaces, no attention at all.
NOT_DRAFTED = {
    *("deepseek_v2", "deepseek_v2_queries", "deepseek_v3", "deepseek_v32", "glm_moe_dsa"),
    *("deepseek_v2_in_memory", "deepseek_v3_shared"),
    *("mamba", "mamba2", "falcon_mamba", "resnet", "resnet_torchvision"),
}
# Found under other names: by the name inside a block alone, or as a chain of any names.
STILL_KNOWN = {"albert", "mlp"}

Tensors = dict[str, np.ndarray]


def hashes(store: MemoryTensors, architecture: Path | None) -> list[list[str]]:
    where = {"series": "m", "step": None, "revision": "r", "architecture": architecture}
    return sample_networks(store, store.config, nodes=5, seeds=(0, 1), row_rule="exact", **where).link_hashes


def renamed(tensors: Tensors, change: Callable[[str], str]) -> Tensors:
    return {change(name): values for name, values in tensors.items()}


def unheard(model: str, change: Callable[[str], str], **config: Any) -> MemoryTensors:
    """A tiny model under other names and a type that nobody knows."""
    tensors, own = tiny_model(model)
    return MemoryTensors(renamed(tensors, change), {**own, "model_type": "unheard", **config})


def other_blocks(name: str) -> str:
    return NUMBERED.sub(r".unit.\1.", f"net.{name}")


def drafted(store: MemoryTensors, folder: Path) -> tuple[Trial, Path]:
    """Try a model and write a first file for it."""
    trial, path = try_checkpoint(store), folder / "mine.json"
    found = first_draft(store, path=path)
    assert found is not None
    assert found.assumed == trial.assumed
    path.write_text(json.dumps(found.content))
    return trial, path


@pytest.mark.parametrize("model", sorted(set(MODELS) - NOT_DRAFTED - STILL_KNOWN))
def test_a_first_file_reads_every_model_under_other_names(model, tmp_path):
    store = unheard(model, other_blocks)
    trial, path = drafted(store, tmp_path)
    assert (trial.found, trial.flag) == (None, None)
    tensors, config = tiny_model(model)
    same = hashes(store, path) == hashes(MemoryTensors(tensors, config), named(model))
    assert same == (model not in OTHERWISE)
    told = OTHERWISE.get(model, "")
    assert told == "another part" or told in " ".join(trial.assumed)
    assert not [one for one in trial.tensors if one.part == "not told"]


@pytest.mark.parametrize("model", sorted(NOT_DRAFTED))
def test_what_cannot_be_made_out_is_no_file(model, tmp_path):
    store = unheard(model, other_blocks)
    trial = try_checkpoint(store)
    assert (trial.found, trial.fitting, trial.assumed) == (None, [], None)
    assert first_draft(store, path=tmp_path / "mine.json") is None


def llama_cpp(name: str) -> str:
    words = {
        "model.layers": "blk",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    for old, new in words.items():
        name = name.replace(old, new)
    return name


def flat(name: str) -> str:
    """As frameworks write them that know no dots."""
    return re.sub(r"model\.layers\.(\d+)\.", r"params/layer_\1/", name).replace(".", "/")


@pytest.mark.parametrize("change", [llama_cpp, flat, lambda name: name.replace("layers.", "layer")])
def test_names_of_other_frameworks(change, tmp_path):
    store = unheard("llama", change)
    _, path = drafted(store, tmp_path)
    assert hashes(store, path) == hashes(MemoryTensors(*tiny_model("llama")), None)


def test_matrices_that_lie_the_other_way_round(tmp_path):
    tensors, config = tiny_model("llama")
    turned = {other_blocks(name): values.T.copy() for name, values in tensors.items()}
    store = MemoryTensors(turned, config | {"model_type": "unheard"})
    _, path = drafted(store, tmp_path)
    described = json.loads(path.read_text())
    matrices = [matrix for link in described["blocks"]["links"] for matrix in link.get("matrices", [])]
    assert {matrix["orientation"] for matrix in matrices} == {"in_out"}
    assert hashes(store, path) == hashes(MemoryTensors(tensors, config), None)


def test_heads_are_told_by_an_object_of_config(tmp_path):
    tensors, config = tiny_model("llama")
    own = {"model_type": "unheard", "trunk": {"n_head": config["num_attention_heads"]}}
    store = MemoryTensors(renamed(tensors, other_blocks), own)
    trial, path = drafted(store, tmp_path)
    assert trial.assumed == []
    assert hashes(store, path) == hashes(MemoryTensors(tensors, config), None)


def test_heads_are_told_by_a_norm_as_long_as_one(tmp_path):
    tensors, config = tiny_model("qwen3")
    store = MemoryTensors(renamed(tensors, other_blocks), {})
    trial, path = drafted(store, tmp_path)
    assert trial.assumed == []
    assert hashes(store, path) == hashes(MemoryTensors(tensors, config), None)


def test_heads_that_nothing_tells_are_assumed_and_said(tmp_path):
    tensors, _ = tiny_model("llama")
    trial, path = drafted(MemoryTensors(renamed(tensors, other_blocks), {}), tmp_path)
    (assumed,) = trial.assumed
    assert re.search(r"a head has \d+ units, which config.json does not tell: .* sizes.head_size", assumed)
    assert hashes(MemoryTensors(renamed(tensors, other_blocks), {}), path)


def test_dense_blocks_before_mixtures(tmp_path):
    """A first block with the feed-forward matrices of Llama, beside one with experts, a router and one for all."""
    tensors, config = tiny_model("qwen2_moe")
    dense = {
        name: values
        for name, values in tensors.items()
        if not name.startswith("model.layers.0.mlp") and "shared" not in name
    }
    hidden = config["hidden_size"]
    shapes = {"gate_proj": (20, hidden), "up_proj": (20, hidden), "down_proj": (hidden, 20)}
    dense |= {
        f"model.layers.0.mlp.{part}.weight": np.full(shape, k + 0.5, np.float32)
        for k, (part, shape) in enumerate(shapes.items())
    }
    store = MemoryTensors(renamed(dense, other_blocks), config | {"model_type": "unheard"})
    trial, path = drafted(store, tmp_path)
    parts = {one.name: one.part for one in trial.tensors}
    assert parts["net.model.unit.*.mlp.up_proj.weight"] == "dense to up"
    assert parts["net.model.unit.*.mlp.experts.*.up_proj.weight"] == "dense to up"
    assert parts["net.model.unit.*.mlp.gate.weight"].startswith("skipped")
    (network,) = sample_networks(
        store, store.config, nodes=3, seeds=(0,), row_rule="exact", series="m", step=None, revision="r",
        architecture=path,
    ).networks  # fmt: skip
    assert {layer.block for layer in network.layers if layer.row == "gated"} == {0, 1}


def test_of_two_towers_that_with_most_weights(tmp_path):
    text, config = tiny_model("llama")
    image, _ = tiny_model("vit")
    both = renamed(text, other_blocks) | renamed(image, lambda name: f"eye.{other_blocks(name)}")
    store = MemoryTensors(both, config | {"model_type": "unheard"})
    _, path = drafted(store, tmp_path)
    assert hashes(store, path) == hashes(MemoryTensors(text, config), None)


def test_a_known_family_inside_another_module_is_told_with_the_flag_that_reads_it():
    store = unheard("llama", lambda name: f"net.trunk.{name}")
    trial = try_checkpoint(store)
    assert trial.flag == "--architecture llama"
    assert hashes(store, Path("llama")) == hashes(MemoryTensors(*tiny_model("llama")), None)


def test_a_family_with_a_further_norm_fits_and_the_norm_is_told():
    tensors, config = tiny_model("llama")
    tensors = tensors | {"model.layers.0.self_attn.sub_scale": np.ones(12, np.float32)}
    trial = try_checkpoint(MemoryTensors(tensors, config))
    assert trial.found == "llama"
    parts = {one.name: one.part for one in trial.tensors}
    assert parts["model.layers.*.self_attn.sub_scale"] == "skipped: not known to llama"


def test_a_model_whose_attention_has_no_known_names_is_read_without_it(tmp_path):
    store = unheard(
        "llama", lambda name: other_blocks(name).replace("self_attn.", "mixer.a").replace("_proj", "x")
    )
    assert first_draft(store, path=tmp_path / "mine.json") is None
    store = unheard("llama", lambda name: other_blocks(name).replace("self_attn.", "mixer.a"))
    trial, path = drafted(store, tmp_path)
    assert "attention cannot be made out and is left out" in trial.assumed
    assert hashes(store, path)


def test_quantised_weights_are_no_matrices(tmp_path):
    tensors, config = tiny_model("llama")
    packed = {other_blocks(name): values.astype(np.int8) for name, values in tensors.items()}
    store = MemoryTensors(packed, config | {"model_type": "unheard"})
    assert first_draft(store, path=tmp_path / "mine.json") is None


@pytest.mark.parametrize(
    ("files", "error", "told"),
    [
        ({"model.gguf": b"GGUF"}, SourceError, "GGUF"),
        ({"adapter_config.json": b"{}", "adapter_model.safetensors": b""}, SourceError, "adapter"),
        ({"config.json": b"{}"}, CheckpointMissing, "no weights|no checkpoint"),
    ],
)
def test_folders_without_weights_are_named_for_what_they_are(files, error, told, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=told):
        architectures(tried=str(tmp_path))


def test_the_assumptions_are_said_where_the_file_is_written(tmp_path, capsys):

    store = unheard("glm4", other_blocks)
    (tmp_path / "m").mkdir()
    save_file(
        {name: np.ascontiguousarray(one) for name, one in store.tensors.items()},
        tmp_path / "m/model.safetensors",
    )
    (tmp_path / "m/config.json").write_text(json.dumps(store.config))
    architectures(tried=str(tmp_path / "m"))
    shown = " ".join(capsys.readouterr().out.split())
    assert "--write FILE.json. It would take for granted: gates lie in their tensor before" in shown
    architectures(tried=str(tmp_path / "m"), write=tmp_path / "mine.json")
    assert "To be checked first: gates lie" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(OptionError, match="is not written over"):
        architectures(tried=str(tmp_path / "m"), write=tmp_path / "mine.json")
