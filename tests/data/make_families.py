"""Records tiny models under tests/data/families: `python -m tests.data.make_families FOLDER [NAME ...]`.

Needs torch and transformers. The models are built, planted and listened to as `make_tiny` does, then saved by the
library. Kept are config.json, the names and shapes that the library wrote, and for every tensor and every matrix of
the truth which planted numbers it holds, so that the tests make both again without torch.

A planted matrix is written as `NUMBER ROWS COLUMNS`: its entry (i, j) is NUMBER * 2^16 + ROWS[i] * 2^8 + COLUMNS[j];
`turned` behind it says that j runs over ROWS and i over COLUMNS; ` & ` parts matrices that stand below each other, and
` | ` such as stand side by side.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as tf
from safetensors.numpy import load_file

from tests.data.families import runs_of
from tests.data.family_models import decoders, encoders
from tests.data.family_models.feed_forward import IN_MEMORY, feed_truth
from tests.data.family_models.latent import LATENT_ATTENTION, latent_truth
from tests.data.family_models.mixtures import MIXTURES, experts_of
from tests.data.family_models.state_spaces import STATE_SPACES, state_space_truth
from tests.data.make_tiny import Family, plant, transformer_truth

FAMILIES: dict[str, Family] = decoders.FAMILIES | encoders.FAMILIES | MIXTURES
# Architecture files that describe several model types.
ARCHITECTURES = {
    "olmo2": "olmo",
    "olmo3": "olmo",
    "gemma2": "gemma",
    "gemma3": "gemma",
    "cohere2": "cohere",
    "glm": "glm4",
    "gemma3_images": "gemma3",
    "falcon_mamba": "mamba",
    "qwen2_moe": "qwen_moe",
    "qwen3_moe": "qwen_moe",
    "clip": "clip_text",
    "clip_text_model": "clip_text",
    "clip_vision_model": "clip_vision",
    **dict.fromkeys(("ernie4_5", "hunyuan_dense", "ministral", "ministral3", "exaone4"), "as_llama"),
    **dict.fromkeys(("seed_oss", "helium", "vaultgemma", "eurobert"), "as_llama"),
    **dict.fromkeys(("arcee", "apertus"), "nemotron"),
    **dict.fromkeys(("xlm_roberta", "camembert"), "roberta"),
    **dict.fromkeys(("phimoe", "minimax_m2"), "mixtral"),
    "flex_olmo": "olmoe",
    "esm": "bert",
    "deit": "vit",
    **dict.fromkeys(("dots1", "solar_open"), "glm4_moe"),
    **dict.fromkeys(("deepseek_v32", "glm_moe_dsa"), "deepseek"),
    "deepseek_v2": "deepseek",
    "deepseek_v2_lite": "deepseek",
    "deepseek_v3": "deepseek",
    "deepseek_v2_queries": "deepseek_queries",
    "deepseek_v2_in_memory": "deepseek_in_memory",
    "deepseek_v3_shared": "deepseek_shared",
    "qwen2_moe_shared": "qwen_moe_shared",
    **dict.fromkeys(("mixtral_in_memory", "qwen2_moe_in_memory", "olmoe_in_memory"), "mixture_in_memory"),
}
# Read as the user says, since the whole model is read as something else.
NAMED = (
    *("bart_decoder", "whisper_decoder", "clip_vision", "deepseek_v2_queries"),
    *("qwen2_moe_shared", "glm4_moe_shared", "deepseek_v3_shared"),
)
# Models that are listened to in ways of their own.
BUILT = STATE_SPACES | LATENT_ATTENTION


def without_norms(model: torch.nn.Module) -> None:
    """Let normalisation inside attention pass everything, so that planted numbers come through."""
    for name, module in model.named_modules():
        if "attn" in name and "Norm" in type(module).__name__:
            module.forward = lambda states, *_, **__: states


def planted(values: np.ndarray) -> str:
    """Return a matrix of planted numbers in words, see the top of this file."""
    whole = values.astype(np.int64)
    number, rows, columns = whole >> 16, whole >> 8 & 255, whole & 255
    if (whole != values).any():
        raise ValueError(f"no planted numbers: {values}")
    for axis, word in enumerate((" & ", " | ")):
        ends = np.flatnonzero(np.diff(number.take(0, 1 - axis))) + 1
        if ends.size:
            return word.join(planted(part) for part in np.split(values, ends, axis))
    if (number != number.flat[0]).any():
        raise ValueError(f"no matrix of planted numbers: {values}")
    turned = (rows != rows[:, :1]).any()
    rows, columns = (rows.T, columns.T) if turned else (rows, columns)
    if (rows != rows[:, :1]).any() or (columns != columns[:1]).any():
        raise ValueError("rows and columns are mixed")
    return f"{number.flat[0]} {runs_of(rows[:, 0])} {runs_of(columns[0])}{' turned' if turned else ''}"


def recorded(name: str) -> dict[str, Any]:
    """Build a model and return what is kept of it."""
    torch.manual_seed(0)
    build = BUILT[name] if name in BUILT else FAMILIES[name].build
    model = build()
    plant(model)
    config, tensors = _saved(model)
    if name.endswith(IN_MEMORY):
        tensors = {own: values.numpy() for own, values in model.state_dict().items()}
    without_norms(model)
    if name in STATE_SPACES:
        truth = state_space_truth(model, build())
    elif name in LATENT_ATTENTION:
        truth = latent_truth(name, model)
    else:
        truth = _truth(name, model)
    return {
        "origin": f"{_builder(model)}, built by tests/data/make_families.py",
        "architecture": ARCHITECTURES.get(name, name),
        "named": name in NAMED,
        "config": config,
        "tensors": {tensor: _tensor_words(values) for tensor, values in sorted(tensors.items())},
        "truth": {matrix: planted(values) for matrix, values in sorted(truth.items())},
    }


def _truth(name: str, model: torch.nn.Module) -> dict[str, np.ndarray]:
    family = FAMILIES[name]
    truth = transformer_truth(family, model)
    if name in MIXTURES:
        hidden = truth["0.query"].shape[1]
        for b in range(family.blocks):
            block = model.get_submodule(family.block.format(b=b))
            found = feed_truth(name, block, hidden, experts=experts_of(name))
            truth |= {f"{b}.{kind}": values for kind, values in found.items()}
    return truth


def _builder(model: torch.nn.Module) -> str:
    own = isinstance(model, tf.PreTrainedModel)
    return (
        f"{type(model).__name__} of transformers {tf.__version__}"
        if own
        else f"{type(model).__name__} of torch"
    )


def _saved(model: torch.nn.Module) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return config.json and the tensors as the library writes them; without a library, the state dict alone."""
    if not isinstance(model, tf.PreTrainedModel):
        return {}, {name: values.numpy() for name, values in model.state_dict().items()}
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        config = json.loads((Path(folder) / "config.json").read_text())
        tensors = load_file(Path(folder) / "model.safetensors")
    return {key: value for key, value in config.items() if key != "transformers_version"}, tensors


def _tensor_words(values: np.ndarray) -> str:
    shape = "x".join(map(str, values.shape))
    # matrices of experts lie together, each with a number of its own; other tensors of three axes take no part
    if values.ndim == 3 and 1 < len(values) == len({int(matrix.flat[0]) >> 16 for matrix in values}):
        return f"{shape} {' & '.join(map(planted, values))}"
    return f"{shape} {planted(values)}" if values.ndim == 2 else shape


def main() -> None:
    """Write the records asked for."""
    parser = argparse.ArgumentParser(description="Record the tiny models of the tests.")
    parser.add_argument("target", type=Path, help="folder to write to, such as tests/data/families")
    parser.add_argument("names", nargs="*", help="families; all where none is named")
    asked = parser.parse_args()
    asked.target.mkdir(parents=True, exist_ok=True)
    for name in asked.names or [*FAMILIES, *BUILT]:
        text = json.dumps(recorded(name), indent=0, ensure_ascii=False)
        (asked.target / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
