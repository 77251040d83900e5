"""Names inside files: what wrappers put there, state dicts inside training checkpoints, adapters merged."""

import json

import numpy as np
import pytest

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.formats.tensor_names import plain_name, with_plain_names
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import (
    CheckpointMissing,
    CorruptFile,
    UnsafeFormat,
    UnsupportedArchitecture,
    UnsupportedFormat,
)

from .lie_about import neox, write_config, write_model, write_torch, write_weights

DENSE = "gpt_neox.layers.0.attention.dense"


def sampled(folder, **options):
    (checkpoint,) = open_series(str(folder), **options).checkpoints
    return sample_checkpoint(checkpoint, nodes=6, seeds=[0, 1], row_rule="exact")


def plain(tmp_path, tensors=None):
    """Sample the same weights as transformers saves them."""
    return sampled(write_model(tmp_path / "plain", tensors))


def same(one, other):
    """Tell whether two samples have the same weights, taken in the same way."""
    readings = [each.networks[0].provenance.architecture_hash for each in (one, other)]
    return one.weights_hashes == other.weights_hashes and readings[0] == readings[1]


@pytest.mark.parametrize(
    "name",
    [
        "_orig_mod.a.b",
        "module._orig_mod.a.b",
        "_orig_mod.module.a.b",
        "_forward_module._fsdp_wrapped_module.a._fsdp_wrapped_module.b",
        "a._checkpoint_wrapped_module.b",
        "base_model.model.a.b",
        "module.base_model.model.a.module.module.b",
    ],
)
def test_wrappers_are_taken_out_in_any_order_and_place(name):
    assert plain_name(name) == "a.b"


@pytest.mark.parametrize(
    "name", ["my_module.a", "a.module_list.b", "a.module", "base_model.encoder.a", "modules.a"]
)
def test_other_names_stay(name):
    assert plain_name(name) == name


def test_names_that_would_fall_together_stay_as_they_are():
    tensors = {"module.a": 1, "a": 2}
    told = "left in tensor names, as the same stand there without: module. (1)"
    assert with_plain_names(tensors) == (tensors, told)


@pytest.mark.parametrize(
    "prefix", ["_orig_mod.", "module.", "_orig_mod.module.", "base_model.model.", "model."]
)
def test_wrapped_weights_give_the_same_network_and_a_note(tmp_path, prefix):
    folder = write_model(tmp_path / "wrapped", {prefix + name: array for name, array in neox().items()})
    wrapped = sampled(folder)
    assert same(wrapped, plain(tmp_path))
    assert len(wrapped.tensors.notes) == 1
    assert prefix.split(".")[0] in wrapped.tensors.notes[0]


def test_a_wrapper_inside_every_block(tmp_path):
    inside = {
        name.replace("layers.0.", "layers.0._checkpoint_wrapped_module."): a for name, a in neox().items()
    }
    assert same(sampled(write_model(tmp_path / "inside", inside)), plain(tmp_path))


def test_two_towers_are_not_guessed_at(tmp_path):
    towers = {f"{tower}.{name}": array for tower in ("query", "passage") for name, array in neox().items()}
    with pytest.raises(UnsupportedArchitecture, match="does not hold the tensors"):
        sampled(write_model(tmp_path / "towers", towers))


@pytest.mark.parametrize(
    ("filename", "value", "path"),
    [
        ("last.ckpt", lambda state: {"epoch": 3, "state_dict": state}, "state_dict"),
        (
            "ckpt.pt",
            lambda state: {"model": state, "iter_num": 7, "best_val_loss": np.ones(1, np.float32)},
            "model",
        ),
        ("pytorch_model.bin", lambda state: {"module": state}, "module"),
        ("model.pth", lambda state: {"model_state_dict": state}, "model_state_dict"),
        ("consolidated.00.pth", lambda state: state, None),
        ("best.pt", lambda state: {"model": {"state_dict": state}}, "model / state_dict"),
        ("ema.pt", lambda state: {"ema": state, "step": 9}, "ema"),
        (
            "ckpt.pt",
            lambda state: {"net": state, "optimizer": {"exp_avg": np.ones((3, 3), np.float32)}},
            "net",
        ),
        ("ckpt.pt", lambda state: {"params": state, "rng": {"cpu": np.ones(8, np.float32)}}, "params"),
    ],
)
def test_state_dicts_inside_training_checkpoints(tmp_path, filename, value, path):
    folder = write_config(tmp_path / "run")
    write_torch(folder / filename, value(neox()))
    found = sampled(folder)
    assert same(found, plain(tmp_path))
    told = [note for note in found.tensors.notes if note.startswith("state dict read from")]
    assert told == ([f"state dict read from the key {path}"] if path else [])


def test_the_choice_among_several_state_dicts_is_told(tmp_path):
    folder = write_config(tmp_path / "run")
    write_torch(folder / "ckpt.pt", {"ema": neox(5), "model": neox(0)})
    found = sampled(folder)
    assert same(found, plain(tmp_path))
    assert "state dict read from the key model; also there and not read: ema" in found.tensors.notes


def test_state_dicts_under_keys_that_say_nothing_are_not_chosen_among(tmp_path):
    write_torch(write_config(tmp_path) / "ckpt.pt", {"teacher": neox(5), "student": neox()})
    with pytest.raises(
        UnsupportedFormat, match="state dicts under teacher, student, and nothing tells which"
    ):
        sampled(tmp_path)


def test_names_with_and_without_a_wrapper_are_told(tmp_path):
    both = neox() | {f"_orig_mod.{name}": array for name, array in neox(5).items()}
    found = sampled(write_model(tmp_path / "both", both))
    assert same(found, plain(tmp_path))
    assert found.tensors.notes == ["left in tensor names, as the same stand there without: _orig_mod. (9)"]


def test_parameters_that_fsdp_flattened_are_named(tmp_path):
    flat = {"_fsdp_wrapped_module._flat_param": np.ones(64, np.float32)}
    with pytest.raises(UnsupportedFormat, match="FSDP flattened .*FULL_STATE_DICT"):
        sampled(write_model(tmp_path / "flat", flat))


def test_optimizer_tensors_are_never_read(tmp_path):
    """The bytes read stay the same when an optimizer a thousand times as large lies beside the weights."""
    read = []
    for size in (1, 250_000):
        state = {0: {"step": 1, "exp_avg": np.ones(size, np.float32)}}
        path = tmp_path / str(size) / "ckpt.pt"
        write_torch(path, {"optimizer": {"state": state, "param_groups": []}, "model": neox()})
        read.append((path.stat().st_size, sampled(write_config(path.parent)).bytes_read))
    (small, few), (large, many) = read
    assert large > small + 900_000
    assert many <= few + 70_000


def test_a_training_checkpoint_that_asks_for_more_is_refused(tmp_path):
    folder = write_config(tmp_path / "run")
    path = write_torch(folder / "last.ckpt", {"state_dict": neox()})
    named, asking = b"torch._utils\n_rebuild_tensor_v2", b"posix_______\nsystem____________"
    path.write_bytes(path.read_bytes().replace(named, asking, 1))
    with pytest.raises(UnsafeFormat, match=r"asks for posix_______\.system"):
        open_tensors(LocalFolder(folder))


RANK, ALPHA = 2, 6


def adapted(*, names=(DENSE,), seed=3, base=".base_layer.weight", adapter=".default.weight"):
    """Return a model with LoRA factors on some modules, and the merged model by hand."""
    model, draw = neox(), np.random.default_rng(seed)
    merged = dict(model)
    for module in names:
        weight = model.pop(f"{module}.weight")
        first = draw.normal(size=(RANK, weight.shape[1])).astype(np.float32)
        second = draw.normal(size=(weight.shape[0], RANK)).astype(np.float32)
        model[module + base] = weight
        model[f"{module}.lora_A{adapter}"], model[f"{module}.lora_B{adapter}"] = first, second
        change = ALPHA / RANK * (second.astype(float) @ first)
        merged[f"{module}.weight"] = (weight + change).astype(np.float32)
    return model, merged


def with_adapter_config(folder, **values):
    (folder / "adapter_config.json").write_text(json.dumps({"lora_alpha": ALPHA, "r": RANK, **values}))
    return folder


@pytest.mark.parametrize("prefix", ["", "base_model.model."])
@pytest.mark.parametrize("base", [".base_layer.weight", ".weight"])
@pytest.mark.parametrize("adapter", [".default.weight", ".weight", ""])
def test_factors_beside_their_base_are_merged_as_they_are_read(tmp_path, prefix, base, adapter):
    wide = "gpt_neox.layers.1.mlp.dense_h_to_4h"
    model, merged = adapted(names=(DENSE, wide), base=base, adapter=adapter)
    folder = write_model(tmp_path / "lora", {prefix + name: array for name, array in model.items()})
    found = sampled(with_adapter_config(folder))
    assert same(found, plain(tmp_path, merged))
    assert "2 weights are merged with their LoRA factors, scaling 3.0" in found.tensors.notes
    assert not [
        each.name for each in found.tensors.skipped if "lora" in each.name or "base_layer" in each.name
    ]


@pytest.mark.parametrize("prefix", ["", "base_model.model."])
def test_an_adapter_in_a_file_beside_its_base_is_merged(tmp_path, prefix):
    model, merged = adapted(base=".weight", adapter=".weight")
    factors = {prefix + name: model.pop(name) for name in [each for each in model if ".lora_" in each]}
    folder = with_adapter_config(write_model(tmp_path / "lora", model))
    write_weights(folder / "adapter_model.safetensors", factors)
    found = sampled(folder)
    assert same(found, plain(tmp_path, merged))
    assert "factors of an adapter read from adapter_model.safetensors" in found.tensors.notes


@pytest.mark.parametrize(
    "name",
    ["ia3_l.default", "hada_w1_a", "lokr_w1", "oft_r.default", "lora_magnitude_vector", "lora_down.weight"],
)
def test_adapters_of_other_kinds_beside_their_base_are_refused(tmp_path, name):
    model, _ = adapted(base=".weight")
    folder = write_model(tmp_path / "m", model | {f"{DENSE}.{name}": np.ones((16, 1), np.float32)})
    with pytest.raises(UnsupportedFormat, match="no plain LoRA"):
        sampled(with_adapter_config(folder))


def test_a_quantised_base_of_an_adapter_is_named(tmp_path):
    model, _ = adapted()
    model[f"{DENSE}.base_layer.weight"] = np.ones((128, 1), np.uint8)
    model[f"{DENSE}.base_layer.weight.absmax"] = np.ones(4, np.float32)
    with pytest.raises(UnsupportedFormat, match=r"quantised \(bitsandbytes\)"):
        sampled(with_adapter_config(write_model(tmp_path / "m", model)))


def test_rank_stabilised_scaling_and_a_transposed_base(tmp_path):
    draw = np.random.default_rng(1)
    base, first, second = (
        draw.normal(size=shape).astype(np.float32) for shape in ((4, 6), (RANK, 4), (6, RANK))
    )
    tensors = {"x.weight": base, "x.lora_A.weight": first, "x.lora_B.weight": second}
    folder = with_adapter_config(write_model(tmp_path / "t", tensors), use_rslora=True, fan_in_fan_out=True)
    expected = base + ALPHA / np.sqrt(RANK) * (second.astype(float) @ first).T
    read = open_tensors(LocalFolder(folder)).read(
        "x.weight", rows=np.array([3, 1]), columns=np.array([5, 0, 2])
    )
    assert np.allclose(read, expected[[3, 1]][:, [5, 0, 2]], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "config", "fault"),
    [
        (lambda model: model.pop(f"{DENSE}.lora_A.default.weight"), {}, "without lora_A"),
        (lambda model: model.pop(f"{DENSE}.lora_B.default.weight"), {}, "without lora_B"),
        (lambda model: model.pop(f"{DENSE}.base_layer.weight"), {}, "without its base weight"),
        (lambda model: None, None, "scaling is unknown"),
        (lambda model: None, {"lora_alpha": float("nan")}, "scaling is unknown"),
        (lambda model: None, {"lora_alpha": 10**400}, "scaling is unknown"),
        (lambda model: None, {"use_dora": True}, "sets use_dora"),
        (lambda model: None, {"alpha_pattern": {"dense": 4}}, "sets alpha_pattern"),
        (
            lambda model: model.update({f"{DENSE}.lora_A.other.weight": np.ones((2, 16), np.float32)}),
            {},
            "holds 2 adapters",
        ),
        (
            lambda model: [model.pop(f"{DENSE}.lora_{kind}.default.weight") for kind in "AB"],
            {},
            "without lora_A and lora_B beside it",
        ),
    ],
)
def test_adapters_that_cannot_be_merged_say_why(tmp_path, change, config, fault):
    model, _ = adapted()
    change(model)
    folder = write_model(tmp_path / "lora", model)
    if config is not None:
        with_adapter_config(folder, **config)
    with pytest.raises(UnsupportedFormat, match=fault):
        sampled(folder)


def test_factors_of_rank_0_are_refused(tmp_path):
    model, _ = adapted()
    for kind, shape in (("A", (0, 16)), ("B", (16, 0))):
        model[f"{DENSE}.lora_{kind}.default.weight"] = np.ones(shape, np.float32)
    with pytest.raises(CorruptFile, match="LoRA factors of .* have shapes"):
        sampled(with_adapter_config(write_model(tmp_path / "m", model)))


def test_a_folder_of_an_adapter_alone(tmp_path):
    folder = tmp_path / "checkpoint-5"
    write_weights(folder / "adapter_model.safetensors", {"x.lora_A.weight": np.ones((2, 4), np.float32)})
    with_adapter_config(folder)
    with pytest.raises(CheckpointMissing, match="holds an adapter only, without the model it changes"):
        sampled(tmp_path)
