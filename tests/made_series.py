"""Small GPT-NeoX checkpoints made on the spot, so that a series can be wrong in one chosen way."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.unit.checkpoints.making import write_tensors

Tensors = dict[str, np.ndarray]


def tensors(
    drift: float = 0.0, *, seed: int = 0, hidden: int = 32, blocks: int = 2, dtype: str = "float32"
) -> Tensors:
    """Return the weights of a model that has drifted so far from its start."""
    start, change = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    shapes = {
        "attention.query_key_value.weight": (3 * hidden, hidden),
        "attention.dense.weight": (hidden, hidden),
        "mlp.dense_h_to_4h.weight": (4 * hidden, hidden),
        "mlp.dense_4h_to_h.weight": (hidden, 4 * hidden),
    }
    return {
        f"gpt_neox.layers.{block}.{name}": (
            0.1 * start.standard_normal(shape) + drift * 0.1 * change.standard_t(3, shape)
        ).astype(dtype)
        for block in range(blocks)
        for name, shape in shapes.items()
    }


def write(folder: Path, weights: Mapping[str, np.ndarray]) -> Path:
    """Write weights with the config.json that goes with them."""
    hidden = weights["gpt_neox.layers.0.attention.dense.weight"].shape[0]
    blocks = len({name.split(".")[2] for name in weights if ".layers." in name})
    config = {
        "model_type": "gpt_neox",
        "hidden_size": hidden,
        "num_hidden_layers": blocks,
        "num_attention_heads": 4,
        "intermediate_size": 4 * hidden,
    }
    write_tensors(folder / "model.safetensors", weights)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_series(root: Path, steps: Sequence[int] = (0, 100, 200), *, seed: int = 0) -> Path:
    """Write a series that drifts a little further with every step."""
    for place, step in enumerate(steps):
        write(root / f"step{step}", tensors(0.3 * place, seed=seed))
    return root
