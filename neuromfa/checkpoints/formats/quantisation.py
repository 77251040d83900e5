"""Quantised weights: by which scheme a checkpoint was made small, and the one whose scales are applied here."""

import re
from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

from neuromfa.checkpoints.formats.recipes import BlockScaled

METHODS = {
    "gptq": "GPTQ",
    "awq": "AWQ",
    "bitsandbytes": "bitsandbytes",
    "mxfp4": "MXFP4",
    "compressed-tensors": "compressed-tensors",
    "fp8": "scaled 8-bit floats",
    "fbgemm_fp8": "scaled 8-bit floats (FBGEMM)",
}
NESTS = ("text_config", "llm_config", "language_config")
SCALE_INV = "_scale_inv"
# the factors of a layer's output and of a loss belong to the model
SCALE = re.compile(r"(?<!layer_)(?<!logit_)(?<![a-z])(?:scales?|amax|absmax)(?![a-z])")


def quantisation_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a config.json says of quantisation, empty where it says nothing."""
    places = [config, *(config[key] for key in NESTS if isinstance(config.get(key), dict))]
    keys = ("quantization_config", "compression_config", "quantization")
    found = (place[key] for place in places for key in keys if isinstance(place.get(key), dict))
    return next((each for each in found if each), {})


def scheme_of(names: Iterable[str], config: Mapping[str, Any]) -> str | None:
    """Return what people call the quantisation of a checkpoint, None where nothing speaks of one."""
    said = quantisation_config(config).get("quant_method")
    if isinstance(said, str) and said:
        return METHODS.get(said.lower(), said[:40])
    ends = {name.rpartition(".")[2] for name in names}
    return next((scheme for fits, scheme in _BY_NAMES if fits(ends)), None)


_BY_NAMES: tuple[tuple[Callable[[set[str]], bool], str], ...] = (
    (lambda ends: {"qweight", "g_idx"} <= ends, "GPTQ"),
    (lambda ends: {"qweight", "qzeros"} <= ends, "AWQ"),
    (lambda ends: bool({"absmax", "SCB", "quant_map", "weight_format"} & ends), "bitsandbytes"),
    (
        lambda ends: any(
            f"{end.removesuffix('_blocks')}_scales" in ends for end in ends if end.endswith("_blocks")
        ),
        "MXFP4",
    ),
    (lambda ends: bool({"weight_packed", "weight_scale_2"} & ends), "compressed-tensors"),
    (lambda ends: {"scales", "biases"} <= ends, "MLX"),
    (lambda ends: {"_data", "_scale"} <= ends, "quanto"),
    (lambda ends: "W_q" in ends, "HQQ"),
    (lambda ends: {"codes", "codebooks"} <= ends, "AQLM"),
    (lambda ends: "weight_scales" in ends, "EETQ"),
)


def block_scaled(shapes: Mapping[str, tuple[int, ...]], config: Mapping[str, Any]) -> dict[str, BlockScaled]:
    """Return the weights whose blocks have a scale each, where config.json tells how large a block is."""
    said = quantisation_config(config)
    block = said.get("weight_block_size")
    if said.get("quant_method") != "fp8" or not isinstance(block, list) or not _is_block(block):
        return {}
    height, width = block
    return {
        name: BlockScaled(name, name + SCALE_INV, (height, width))
        for name, shape in shapes.items()
        if len(shape) == 2 and shapes.get(name + SCALE_INV) == (-(-shape[0] // height), -(-shape[1] // width))
    }


def _is_block(block: list[Any]) -> bool:
    return len(block) == 2 and all(type(size) is int and size > 0 for size in block)


def scales_beside(name: str, shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return the tensors that may be scales of an 8-bit one.

    Those of the same stem, smaller, under any name but a bias's; else whatever is called a scale, wherever it stands,
    unless it stands beside another tensor.
    """
    stem, _, last = name.rpartition(".")
    stem = stem if last == "weight" else name
    own = prod(shapes[name])
    beside = sorted(
        other
        for other, shape in shapes.items()
        if other.startswith((f"{stem}.", f"{stem}_")) and other != name
        if "bias" not in (rest := other[len(stem) + 1 :]) and rest.removeprefix("weight.").count(".") == 0
        if len(shape) <= max(2, len(shapes[name])) and prod(shape) < own
    )
    return beside or _scales_of_nothing_else(name, shapes)


def _scales_of_nothing_else(name: str, names: Iterable[str]) -> list[str]:
    """Return the scales that stand beside no tensor but this one, and may therefore be its own."""
    stems = {other.removesuffix(".weight") for other in names if other != name and not SCALE.search(other)}
    return sorted(
        scale
        for scale in names
        if scale != name and SCALE.search(scale)
        if not any(scale[: cut.start()] in stems for cut in re.finditer(r"[._]", scale))
    )
