"""Every tiny model, kept whole with its weights or recorded by name, shape and planted numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from tests.data import families

TINY = Path(__file__).parent / "tiny"
KEPT = {path.parent.name: path.parent.name for path in TINY.glob("*/model.safetensors")} | {"gpt2_lm": "gpt2"}
"""Models that are kept whole, with what they are read as."""
MODELS = sorted(KEPT.keys() | set(families.NAMES))


def read_as(model: str) -> str:
    """Return the name of the architecture file of a tiny model."""
    return KEPT[model] if model in KEPT else families.load(model).architecture


def named(model: str) -> Path | None:
    """Return the same, where a person has to name it."""
    return families.load(model).given if model in families.NAMES else None


def tiny_model(model: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return tensors and config.json of a tiny model; that is empty where there is none."""
    if model in families.NAMES:
        record = families.load(model)
        return record.tensors, record.config
    config = TINY / model / "config.json"
    tensors = load_file(TINY / model / "model.safetensors")
    return tensors, json.loads(config.read_text()) if config.exists() else {}
