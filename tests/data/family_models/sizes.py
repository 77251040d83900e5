"""Sizes and module names that several families share."""

from typing import Any

import torch

TOKENS = {"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0}
SEPARATE = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
OPT_LIKE = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "dense": "self_attn.out_proj",
    "first": ("fc1",),
    "second": "fc2",
}
# Without head_dim the head size is hidden / heads.
SQUARE = {"hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": ...}
SQUARE_HEADS = {"hidden_size": 16, "head_dim": 4}


def images(batch: int) -> dict[str, Any]:
    """Return what a model of images takes."""
    return {"pixel_values": torch.zeros(batch, 3, 4, 4)}
