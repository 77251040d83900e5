"""Mixtures of experts, each with the module that holds them."""

from typing import Any

import transformers as tf

from tests.data.family_models.feed_forward import IN_MEMORY, SHARED
from tests.data.family_models.sizes import SEPARATE, SQUARE_HEADS, TOKENS
from tests.data.make_tiny import GROUPED, Family

MIXTURE_BLOCK = {
    "block": "model.layers.{b}",
    "qkv": SEPARATE,
    "dense": "self_attn.o_proj",
    "first": (),
    "second": "",
}
QWEN_EXPERTS = {"moe_intermediate_size": 8, "shared_expert_intermediate_size": 10}
PLAIN_ROPE = {"rope_type": "default", "rope_theta": 10000.0}
SHARING = {**GROUPED, **TOKENS, "num_experts_per_tok": 2}


LEADING = {
    "n_routed_experts": 3,
    "moe_intermediate_size": 8,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
}


def _mixture(model: Any, config: Any, **sizes: Any) -> Family:
    return Family(build=lambda: model(config(**{**SHARING, **sizes})), **MIXTURE_BLOCK)


MIXTURES = {
    "mixtral": _mixture(tf.MixtralForCausalLM, tf.MixtralConfig, num_local_experts=3),
    "qwen2_moe": _mixture(
        tf.Qwen2MoeForCausalLM, tf.Qwen2MoeConfig, **SQUARE_HEADS, num_experts=3, **QWEN_EXPERTS
    ),
    "qwen3_moe": _mixture(tf.Qwen3MoeForCausalLM, tf.Qwen3MoeConfig, num_experts=3, moe_intermediate_size=8),
    "olmoe": _mixture(tf.OlmoeForCausalLM, tf.OlmoeConfig, **SQUARE_HEADS, num_experts=3),
    "gpt_oss": _mixture(
        tf.GptOssForCausalLM, tf.GptOssConfig, num_local_experts=3, rope_parameters=PLAIN_ROPE
    ),
    "granite_moe": _mixture(
        tf.GraniteMoeForCausalLM, tf.GraniteMoeConfig, **SQUARE_HEADS, num_local_experts=3
    ),
    "phimoe": _mixture(tf.PhimoeForCausalLM, tf.PhimoeConfig, **SQUARE_HEADS, num_local_experts=3),
    "minimax_m2": _mixture(tf.MiniMaxM2ForCausalLM, tf.MiniMaxM2Config, num_local_experts=3),
    "flex_olmo": _mixture(tf.FlexOlmoForCausalLM, tf.FlexOlmoConfig, **SQUARE_HEADS, num_experts=3),
    "glm4_moe": _mixture(tf.Glm4MoeForCausalLM, tf.Glm4MoeConfig, **LEADING, first_k_dense_replace=1),
    "dots1": _mixture(tf.Dots1ForCausalLM, tf.Dots1Config, **LEADING, first_k_dense_replace=1),
    "solar_open": _mixture(tf.SolarOpenForCausalLM, tf.SolarOpenConfig, **LEADING),
}
MIXTURES |= {f"{name}{SHARED}": MIXTURES[name] for name in ("qwen2_moe", "glm4_moe")}
MIXTURES |= {f"{name}{IN_MEMORY}": MIXTURES[name] for name in ("mixtral", "qwen2_moe", "olmoe", "glm4_moe")}


def experts_of(name: str) -> str:
    """Return the module inside a block that holds the experts."""
    return "block_sparse_moe.experts" if name == "granite_moe" else "mlp.experts"
