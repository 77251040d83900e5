"""Attention with latent rows, listened to where the library normalises them."""

from collections.abc import Callable
from unittest import mock

import numpy as np
import torch
import transformers as tf

from tests.data.family_models.feed_forward import IN_MEMORY, SHARED, answers, feed_truth
from tests.data.family_models.sizes import TOKENS
from tests.data.make_tiny import BERT_SIZES, HEADS, HIDDEN, TEXT

LATENT = {
    **BERT_SIZES,
    **TEXT,
    **TOKENS,
    "num_key_value_heads": HEADS,
    "kv_lora_rank": 10,
    "qk_nope_head_dim": 6,
    "qk_rope_head_dim": 4,
    "v_head_dim": 6,
    "n_routed_experts": 3,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "moe_intermediate_size": 8,
}
INDEXER = {"index_topk": 2, "index_n_heads": 2, "index_head_dim": 6}
SHORT_QUERIES = {**LATENT, "q_lora_rank": 8, "first_k_dense_replace": 1}


def _deepseek_v2() -> torch.nn.Module:
    return tf.DeepseekV2ForCausalLM(tf.DeepseekV2Config(**SHORT_QUERIES))


LATENT_ATTENTION: dict[str, Callable[[], torch.nn.Module]] = {
    "deepseek_v2": _deepseek_v2,
    "deepseek_v2_queries": _deepseek_v2,
    "deepseek_v2_lite": lambda: tf.DeepseekV2ForCausalLM(
        tf.DeepseekV2Config(**LATENT, q_lora_rank=None, first_k_dense_replace=0)
    ),
    "deepseek_v3": lambda: tf.DeepseekV3ForCausalLM(
        tf.DeepseekV3Config(**SHORT_QUERIES, n_group=1, topk_group=1)
    ),
    "deepseek_v32": lambda: tf.DeepseekV32ForCausalLM(
        tf.DeepseekV32Config(**SHORT_QUERIES, **INDEXER, n_group=1, topk_group=1)
    ),
    "glm_moe_dsa": lambda: tf.GlmMoeDsaForCausalLM(
        tf.GlmMoeDsaConfig(**SHORT_QUERIES, **INDEXER, n_group=1, topk_group=1)
    ),
}
LATENT_ATTENTION |= {
    f"{name}{own}": LATENT_ATTENTION[name]
    for name, own in (("deepseek_v3", SHARED), ("deepseek_v2", IN_MEMORY))
}


def latent_truth(name: str, model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return what a model with latent rows computes; its experts as those of the mixtures."""
    tf.AttentionInterface.register("latent_spy", _latent_spy)
    model.set_attn_implementation("latent_spy")
    truth = {}
    for b in range(2):
        block = model.get_submodule(f"model.layers.{b}")
        found = (
            _chain_of(block.self_attn, model, "q_a_layernorm", ("query",))
            if name.endswith("queries")
            else _chain_of(block.self_attn, model, "kv_a_layernorm", ("key", "value"))
        )
        found["dense"] = answers(block.self_attn.o_proj)
        found |= feed_truth(name, block, HIDDEN)
        truth |= {f"{b}.{kind}": values for kind, values in found.items()}
    return truth


SPIED: list[dict[str, torch.Tensor]] = []


def _latent_spy(_: torch.nn.Module, *states: torch.Tensor, **__: object) -> tuple[torch.Tensor, None]:
    SPIED.append(dict(zip(("query", "key", "value"), states, strict=False)))
    return states[2].transpose(1, 2), None


def _chain_of(
    attention: torch.nn.Module, model: torch.nn.Module, between: str, kinds: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return both halves of a chain, parted where the library normalises the latent row.

    Unit vectors at the input show what reaches that place; unit vectors there, with nothing at the input, show what
    comes of them. Left out are rows of keys that stay empty then, and of queries that turn with the position: the
    rotary ones.
    """
    place = attention.get_submodule(between)
    seen: list[torch.Tensor] = []
    with mock.patch.object(place, "forward", lambda states: seen.append(states) or states):
        _attend(attention, model, torch.eye(HIDDEN), position=0)
    latent = seen[0][:, 0].T
    units = torch.eye(len(latent))[:, None]
    with mock.patch.object(place, "forward", lambda _: units):
        first, later = (
            _attend(attention, model, torch.zeros(len(latent), HIDDEN), position=position)
            for position in (0, 3)
        )
    still = {kind: ((first[kind] != 0) & (first[kind] == later[kind])).all(dim=0) for kind in kinds}
    return {"latent": latent.numpy(), **{kind: first[kind][:, still[kind]].T.numpy() for kind in kinds}}


def _attend(
    attention: torch.nn.Module, model: torch.nn.Module, inputs: torch.Tensor, *, position: int
) -> dict[str, torch.Tensor]:
    """Send each input through attention alone; return queries, keys and values, (inputs, heads, head size) each."""
    states = inputs[:, None]
    with torch.no_grad():
        attention(
            hidden_states=states,
            position_embeddings=model.model.rotary_emb(states, torch.full((1, 1), position)),
            attention_mask=torch.zeros(len(inputs), 1, 1, 1),
        )
    return {kind: heads[:, :, 0] for kind, heads in SPIED[-1].items()}
