"""Quantised weights: never read as if they were the weights themselves."""

import numpy as np
import pytest

from neuromfa.checkpoints.formats.dtypes import DTYPES, decode
from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.formats.quantisation import scheme_of
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import UnsupportedFormat

from .lie_about import CONFIG, neox, write_model, write_weights

DENSE = "gpt_neox.layers.0.attention.dense"
E4M3 = decode(np.arange(127, dtype=np.uint8), DTYPES["float8_e4m3fn"])


def to_float8(array):
    """Return the nearest bit patterns of 8-bit floats; NaN is none of them."""
    nearest = np.abs(np.abs(array)[..., None] - E4M3).argmin(-1)
    return (nearest + 128 * (array < 0)).astype(np.uint8)


def float8_model(folder, more, config=CONFIG):
    """Write a model whose attention projection is in 8-bit floats, with more tensors beside it."""
    tensors = neox() | {f"{DENSE}.weight": to_float8(neox()[f"{DENSE}.weight"])} | more
    write_model(folder, {}, config)
    write_weights(folder / "model.safetensors", tensors, {f"{DENSE}.weight": "F8_E4M3"})
    return folder


def sampled(folder):
    (checkpoint,) = open_series(str(folder)).checkpoints
    return sample_checkpoint(checkpoint, nodes=6, seeds=[0], row_rule="exact")


@pytest.mark.parametrize(
    "name", [".scale", ".weight_scale", ".weight_scale_inv", "_scale", ".s", ".weight.absmax"]
)
@pytest.mark.parametrize("shape", [(), (1,), (16,), (16, 1), (2, 2)])
def test_a_scale_beside_8_bit_floats_under_any_name_and_of_any_shape(tmp_path, name, shape):
    folder = float8_model(tmp_path / "m", {DENSE + name: np.ones(shape, np.float32)})
    with pytest.raises(UnsupportedFormat, match="is float8_e4m3fn with scales in"):
        sampled(folder)


@pytest.mark.parametrize(
    "name",
    [
        f"scales.{DENSE}",
        f"{DENSE}.weight.scale.value",
        "gpt_neox.layers.0.attention.weight_scale_inv",
        "dense_amax",
    ],
)
def test_a_scale_that_stands_elsewhere(tmp_path, name):
    with pytest.raises(UnsupportedFormat, match="is float8_e4m3fn with scales in"):
        sampled(float8_model(tmp_path / "m", {name: np.ones(1, np.float32)}))


@pytest.mark.parametrize("name", ["logit_scale", "gpt_neox.layers.0.layer_scale.gamma", "upscaler.weight"])
def test_factors_of_the_model_itself_are_no_scales(tmp_path, name):
    assert sampled(float8_model(tmp_path / "m", {name: np.ones(1, np.float32)})).networks


def test_a_config_that_speaks_of_quantisation_is_believed(tmp_path):
    config = CONFIG | {"quantization_config": {"quant_method": "fp8"}}
    with pytest.raises(UnsupportedFormat, match=r"config.json speaks of scales \(scaled 8-bit floats\)"):
        sampled(float8_model(tmp_path / "m", {}, config))


def test_8_bit_floats_without_scales_are_read(tmp_path):
    folder = float8_model(tmp_path / "m", {f"{DENSE}.bias": np.zeros(16, np.float32)})
    assert sampled(folder).networks


def test_blocks_of_8_bit_floats_are_multiplied_by_their_scales(tmp_path):
    scales = np.arange(1, 9, dtype=np.float32).reshape(2, 4)
    config = CONFIG | {"quantization_config": {"quant_method": "fp8", "weight_block_size": [10, 4]}}
    folder = float8_model(tmp_path / "m", {f"{DENSE}.weight_scale_inv": scales}, config)
    numbers = decode(to_float8(neox()[f"{DENSE}.weight"]), DTYPES["float8_e4m3fn"])
    expected = numbers * np.repeat(np.repeat(scales, 10, axis=0)[:16], 4, axis=1)
    tensors = open_tensors(LocalFolder(folder))
    assert (tensors.read(f"{DENSE}.weight") == expected).all()
    rows, columns = np.array([15, 2, 9]), np.array([0, 11])
    assert (tensors.read(f"{DENSE}.weight", rows=rows, columns=columns) == expected[rows][:, columns]).all()
    found = sampled(folder)
    assert "1 weights are 8-bit numbers times the scales of their blocks" in found.tensors.notes
    whole = neox() | {f"{DENSE}.weight": expected.astype(np.float32)}
    assert found.weights_hashes == sampled(write_model(tmp_path / "whole", whole)).weights_hashes


def test_blocks_of_another_size_than_config_says_are_refused(tmp_path):
    config = CONFIG | {"quantization_config": {"quant_method": "fp8", "weight_block_size": [4, 4]}}
    folder = float8_model(tmp_path / "m", {f"{DENSE}.weight_scale_inv": np.ones((2, 4), np.float32)}, config)
    with pytest.raises(UnsupportedFormat, match="with scales in"):
        sampled(folder)


@pytest.mark.parametrize(
    ("ends", "scheme"),
    [
        ({".qweight": np.ones((2, 16), np.int32), ".g_idx": np.ones(16, np.int32)}, "GPTQ"),
        ({".qweight": np.ones((2, 16), np.int32), ".qzeros": np.ones((1, 2), np.int32)}, "AWQ"),
        ({".weight": np.ones((128, 1), np.uint8), ".weight.absmax": np.ones(4, np.float32)}, "bitsandbytes"),
        ({".weight": np.ones((16, 16), np.int8), ".SCB": np.ones(16, np.float32)}, "bitsandbytes"),
        ({"_blocks": np.ones((16, 1, 8), np.uint8), "_scales": np.ones((16, 1), np.uint8)}, "MXFP4"),
        (
            {".weight_packed": np.ones((16, 2), np.int32), ".weight_scale": np.ones(16, np.float32)},
            "compressed-tensors",
        ),
        (
            {".weight": np.ones((16, 2), np.int32), ".scales": np.ones(16, np.float16)}
            | {".biases": np.ones(16, np.float16)},
            "MLX",
        ),
        ({".weight._data": np.ones((16, 16), np.int8), ".weight._scale": np.ones(16, np.float32)}, "quanto"),
        ({".W_q": np.ones((8, 16), np.uint8), ".scale": np.ones(16, np.float32)}, "HQQ"),
        ({".codes": np.ones((16, 2), np.int32), ".codebooks": np.ones((1, 4), np.float32)}, "AQLM"),
        ({".weight": np.ones((16, 16), np.int8), ".weight_scales": np.ones(16, np.float32)}, "EETQ"),
    ],
)
def test_schemes_are_named(tmp_path, ends, scheme):
    model = neox()
    del model[f"{DENSE}.weight"]
    folder = write_model(tmp_path / "m", model | {DENSE + end: array for end, array in ends.items()})
    with pytest.raises(UnsupportedFormat, match=scheme):
        sampled(folder)


def test_what_mlx_says_in_its_config():
    assert scheme_of([], {"quantization": {"quant_method": "mlx", "bits": 4}}) == "mlx"


@pytest.mark.parametrize("nest", [None, "text_config"])
def test_the_scheme_that_config_names(nest):
    said = {"quantization_config": {"quant_method": "hqq"}}
    assert scheme_of([], {nest: said} if nest else said) == "hqq"
    assert scheme_of(["a.weight", "a.bias"], {}) is None
