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
import operator
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
import transformers as tf
from safetensors.numpy import load_file
from transformers.models.gpt_oss.modeling_gpt_oss import GptOssExperts

from tests.data.families import runs_of
from tests.data.make_tiny import (
    BERT_BLOCK,
    BERT_SIZES,
    FEED_FORWARD,
    GATED_BLOCK,
    GROUPED,
    HEADS,
    HIDDEN,
    QWEN2,
    TEXT,
    TOKEN,
    Family,
    plant,
    transformer_truth,
)

LIMIT_OF_CODE = 1 << 8


def _bloom_split(model: torch.nn.Module, block: str, fused: torch.Tensor) -> tuple[torch.Tensor, ...]:
    states = model.get_submodule(f"{block}.self_attention")._reshape(fused)
    return tuple(heads.transpose(1, 2).flatten(2) for heads in states)


def _falcon_split(model: torch.nn.Module, block: str, fused: torch.Tensor) -> tuple[torch.Tensor, ...]:
    attention = model.get_submodule(f"{block}.self_attention")
    states = attention._split_heads(fused)
    heads = states[0].shape[2]
    # what heads share is repeated for each of them
    return tuple(one.repeat_interleave(heads // one.shape[2], dim=2).flatten(2) for one in states)


def _split_by_products(
    attention: str, fused_name: str, *, scaled: float = 1.0, **more: Any
) -> Callable[..., Any]:
    """Return a split that runs the library's attention and takes query, key and value from its two products."""

    def split(model: torch.nn.Module, block: str, fused: torch.Tensor) -> tuple[torch.Tensor, ...]:
        module = model.get_submodule(f"{block}.{attention}")
        fused = fused.double()
        product, seen = torch.matmul, []

        def watched(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
            seen.append((left, right))
            return product(left, right)

        with (
            mock.patch("torch.matmul", watched),
            mock.patch.object(getattr(module, fused_name), "forward", lambda _: fused),
        ):
            module.double()(fused, **more)
        (query, key), (_, value) = seen
        states = (query * scaled, key.transpose(-1, -2), value)
        return tuple(heads.transpose(1, 2).flatten(2).round() for heads in states)

    return split


OPT_LIKE = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "dense": "self_attn.out_proj",
    "first": ("fc1",),
    "second": "fc2",
}
BERT_QKV = ("attention.self.query", "attention.self.key", "attention.self.value")
ENCODER_DECODER = {
    "d_model": HIDDEN,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "encoder_ffn_dim": FEED_FORWARD,
    "decoder_ffn_dim": FEED_FORWARD + 4,
    "vocab_size": 9,
}
TOKENS = {"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0}


def _images(batch: int) -> dict[str, Any]:
    return {"pixel_values": torch.zeros(batch, 3, 4, 4)}


# Without head_dim the head size is hidden / heads.
SQUARE = {"hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": ...}
SQUARE_HEADS = {"hidden_size": 16, "head_dim": 4}


def _gated(model: Any, config: Any, **sizes: Any) -> Family:
    sizes = {key: value for key, value in {**GROUPED, **TOKENS, **sizes}.items() if value is not ...}
    return Family(build=lambda: model(config(**sizes)), **GATED_BLOCK)


def _plain(model: Any, config: Any) -> Family:
    """A model as Llama, without gates."""
    block = {**GATED_BLOCK, "first": ("mlp.up_proj",)}
    return Family(build=lambda: model(config(**{**GROUPED, **TOKENS})), **block)


FAMILIES: dict[str, Family] = {
    "olmo": _gated(tf.OlmoForCausalLM, tf.OlmoConfig, **SQUARE),
    "olmo2": _gated(tf.Olmo2ForCausalLM, tf.Olmo2Config, **SQUARE),
    "olmo3": _gated(tf.Olmo3ForCausalLM, tf.Olmo3Config, **SQUARE),
    "qwen3": _gated(tf.Qwen3ForCausalLM, tf.Qwen3Config),
    "gemma": _gated(tf.GemmaForCausalLM, tf.GemmaConfig),
    "gemma2": _gated(tf.Gemma2ForCausalLM, tf.Gemma2Config),
    "gemma3": _gated(tf.Gemma3ForCausalLM, tf.Gemma3TextConfig),
    "granite": _gated(tf.GraniteForCausalLM, tf.GraniteConfig, **SQUARE),
    "cohere": _gated(tf.CohereForCausalLM, tf.CohereConfig, **SQUARE),
    "cohere2": _gated(tf.Cohere2ForCausalLM, tf.Cohere2Config, **SQUARE),
    "stablelm": _gated(tf.StableLmForCausalLM, tf.StableLmConfig, **SQUARE | {"hidden_size": 32}),
    "smollm3": _gated(tf.SmolLM3ForCausalLM, tf.SmolLM3Config, **SQUARE),
    "phi": Family(
        build=lambda: tf.PhiForCausalLM(tf.PhiConfig(**{**QWEN2, **TOKENS})),
        block="model.layers.{b}",
        qkv=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        dense="self_attn.dense",
        first=("mlp.fc1",),
        second="mlp.fc2",
    ),
    "starcoder2": Family(
        build=lambda: tf.Starcoder2ForCausalLM(tf.Starcoder2Config(**{**QWEN2, **TOKENS})),
        block="model.layers.{b}",
        qkv=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        dense="self_attn.o_proj",
        first=("mlp.c_fc",),
        second="mlp.c_proj",
    ),
    "gptj": Family(
        build=lambda: tf.GPTJForCausalLM(
            tf.GPTJConfig(
                n_embd=HIDDEN,
                n_layer=2,
                n_head=HEADS,
                n_positions=8,
                rotary_dim=2,
                vocab_size=7,
                n_inner=20,
                **TOKENS,
            )
        ),
        block="transformer.h.{b}",
        qkv=("attn.q_proj", "attn.k_proj", "attn.v_proj"),
        dense="attn.out_proj",
        first=("mlp.fc_in",),
        second="mlp.fc_out",
        spied=False,
    ),
    "gpt_neo": Family(
        build=lambda: tf.GPTNeoForCausalLM(
            tf.GPTNeoConfig(
                hidden_size=HIDDEN,
                num_layers=2,
                num_heads=HEADS,
                attention_types=[[["global", "local"], 1]],
                vocab_size=7,
                max_position_embeddings=8,
                intermediate_size=20,
                **TOKENS,
            )
        ),
        block="transformer.h.{b}",
        qkv=("attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj"),
        dense="attn.attention.out_proj",
        first=("mlp.c_fc",),
        second="mlp.c_proj",
        spied=False,
    ),
    "bloom": Family(
        build=lambda: tf.BloomForCausalLM(
            tf.BloomConfig(hidden_size=HIDDEN, n_layer=2, n_head=HEADS, vocab_size=7, **TOKENS)
        ),
        block="transformer.h.{b}",
        qkv=("self_attention.query_key_value",),
        dense="self_attention.dense",
        first=("mlp.dense_h_to_4h",),
        second="mlp.dense_4h_to_h",
        spied=False,
        split=_bloom_split,
    ),
    "mpt": Family(
        build=lambda: tf.MptForCausalLM(
            tf.MptConfig(d_model=HIDDEN, n_heads=HEADS, n_layers=2, max_seq_len=8, vocab_size=7, **TOKENS)
        ),
        block="transformer.blocks.{b}",
        qkv=("attn.Wqkv",),
        dense="attn.out_proj",
        first=("ffn.up_proj",),
        second="ffn.down_proj",
        spied=False,
        split=_split_by_products("attn", "Wqkv", position_bias=None),
    ),
    "electra": Family(
        build=lambda: tf.ElectraForPreTraining(tf.ElectraConfig(**BERT_SIZES, **TEXT, embedding_size=8)),
        block="electra.encoder.layer.{b}",
        qkv=BERT_QKV,
        **BERT_BLOCK,
    ),
    "bart": Family(
        build=lambda: tf.BartForConditionalGeneration(
            tf.BartConfig(**ENCODER_DECODER, max_position_embeddings=8)
        ),
        block="model.encoder.layers.{b}",
        **OPT_LIKE,
    ),
    "whisper": Family(
        build=lambda: tf.WhisperForConditionalGeneration(
            tf.WhisperConfig(
                **{**ENCODER_DECODER, **TOKENS},
                num_mel_bins=3,
                max_source_positions=1,
                max_target_positions=4,
                decoder_start_token_id=0,
            )
        ),
        block="model.encoder.layers.{b}",
        inputs=lambda batch: {
            "input_features": torch.zeros(batch, 3, 2),
            "decoder_input_ids": torch.full((batch, 1), TOKEN),
        },
        query_scale=(HIDDEN // HEADS) ** -0.5,
        **OPT_LIKE,
    ),
    "dinov2": Family(
        build=lambda: tf.Dinov2Model(
            tf.Dinov2Config(
                hidden_size=HIDDEN,
                num_hidden_layers=2,
                num_attention_heads=HEADS,
                mlp_ratio=2,
                image_size=4,
                patch_size=2,
            )
        ),
        block="encoder.layer.{b}",
        qkv=("attention.q_proj", "attention.k_proj", "attention.v_proj"),
        dense="attention.o_proj",
        first=("mlp.fc1",),
        second="mlp.fc2",
        inputs=_images,
    ),
    "deberta_v2": Family(
        build=lambda: tf.DebertaV2ForMaskedLM(
            tf.DebertaV2Config(
                **BERT_SIZES, **TEXT, type_vocab_size=0, relative_attention=True, pos_att_type=["p2c", "c2p"]
            )
        ),
        block="deberta.encoder.layer.{b}",
        qkv=("attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj"),
        spied=False,
        **BERT_BLOCK,
    ),
    "deberta": Family(
        build=lambda: tf.DebertaForMaskedLM(
            tf.DebertaConfig(
                **BERT_SIZES, **TEXT, type_vocab_size=0, relative_attention=True, pos_att_type=["p2c", "c2p"]
            )
        ),
        block="deberta.encoder.layer.{b}",
        qkv=("attention.self.in_proj",),
        spied=False,
        split=_split_by_products(
            "attention.self",
            "in_proj",
            scaled=(3 * HIDDEN // HEADS) ** 0.5,
            attention_mask=torch.ones(1, 1, 1, dtype=torch.bool),
        ),
        **BERT_BLOCK,
    ),
}


FALCON = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 7,
    "ffn_hidden_size": 40,
}
FALCON_BLOCK = {
    "block": "transformer.h.{b}",
    "qkv": ("self_attention.query_key_value",),
    "dense": "self_attention.dense",
    "first": ("mlp.dense_h_to_4h",),
    "second": "mlp.dense_4h_to_h",
    "spied": False,
    "split": _falcon_split,
}
FUSED_GATE = {
    "block": "model.layers.{b}",
    "dense": "self_attn.o_proj",
    "first": ("mlp.gate_up_proj",),
    "second": "mlp.down_proj",
}
SEPARATE = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
CLIP_TOWER = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": HEADS,
    "intermediate_size": FEED_FORWARD,
    "projection_dim": 6,
}
CLIP_TEXT = {**CLIP_TOWER, **TEXT, **TOKENS}
CLIP_IMAGE = {**CLIP_TOWER, "hidden_size": 16, "num_attention_heads": 4, "image_size": 4, "patch_size": 2}
CLIP_BLOCK = {"qkv": SEPARATE, "dense": "self_attn.out_proj", "first": ("mlp.fc1",), "second": "mlp.fc2"}


def _clip() -> torch.nn.Module:
    return tf.CLIPModel(tf.CLIPConfig(text_config=CLIP_TEXT, vision_config=CLIP_IMAGE, projection_dim=6))


def _text_and_image(batch: int) -> dict[str, Any]:
    return {"input_ids": torch.full((batch, 1), TOKEN), **_images(batch)}


class NanoGPT(torch.nn.Module):
    """The modules of nanoGPT by the names under which it saves them; queries, keys and values follow each other."""

    def __init__(self) -> None:
        super().__init__()
        blocks = torch.nn.ModuleList(_nano_block(HIDDEN) for _ in range(2))
        self.transformer = torch.nn.ModuleDict(
            {"wte": torch.nn.Embedding(7, HIDDEN), "wpe": torch.nn.Embedding(8, HIDDEN), "h": blocks}
        )
        self.transformer["ln_f"] = torch.nn.LayerNorm(HIDDEN)
        self.lm_head = torch.nn.Linear(HIDDEN, 7, bias=False)

    def forward(self, input_ids: torch.Tensor) -> None:
        """Run every module of the blocks."""
        states = self.transformer["wte"](input_ids)
        for block in self.transformer["h"]:
            query, _, _ = block["attn"]["c_attn"](states).split(HIDDEN, dim=2)
            states = block["attn"]["c_proj"](query)
            states = block["mlp"]["c_proj"](block["mlp"]["c_fc"](states))


def _nano_block(width: int) -> torch.nn.ModuleDict:
    linear = torch.nn.Linear
    return torch.nn.ModuleDict(
        {
            "ln_1": torch.nn.LayerNorm(width),
            "attn": torch.nn.ModuleDict({"c_attn": linear(width, 3 * width), "c_proj": linear(width, width)}),
            "ln_2": torch.nn.LayerNorm(width),
            "mlp": torch.nn.ModuleDict(
                {"c_fc": linear(width, 4 * width), "c_proj": linear(4 * width, width)}
            ),
        }
    )


FAMILIES |= {
    "phi3": Family(
        build=lambda: tf.Phi3ForCausalLM(tf.Phi3Config(**{**QWEN2, **TOKENS})),
        qkv=("self_attn.qkv_proj",),
        activation="mlp.activation_fn",
        **FUSED_GATE,
    ),
    "glm": Family(
        build=lambda: tf.GlmForCausalLM(tf.GlmConfig(**{**GROUPED, **TOKENS})),
        qkv=SEPARATE,
        activation="mlp.activation_fn",
        **FUSED_GATE,
    ),
    "glm4": Family(
        build=lambda: tf.Glm4ForCausalLM(tf.Glm4Config(**{**GROUPED, **TOKENS})),
        qkv=SEPARATE,
        activation="mlp.activation_fn",
        **FUSED_GATE,
    ),
    "falcon": Family(
        build=lambda: tf.FalconForCausalLM(
            tf.FalconConfig(**FALCON, **TOKENS, new_decoder_architecture=True, num_kv_heads=2)
        ),
        **FALCON_BLOCK,
    ),
    "falcon_7b": Family(
        build=lambda: tf.FalconForCausalLM(
            tf.FalconConfig(**FALCON, **TOKENS, new_decoder_architecture=False, multi_query=True)
        ),
        **FALCON_BLOCK,
    ),
    "falcon_rw": Family(
        build=lambda: tf.FalconForCausalLM(
            tf.FalconConfig(
                **FALCON,
                **TOKENS,
                new_decoder_architecture=False,
                multi_query=False,
                alibi=True,
                parallel_attn=False,
            )
        ),
        **FALCON_BLOCK,
    ),
    "gpt_bigcode": Family(
        build=lambda: tf.GPTBigCodeForCausalLM(
            tf.GPTBigCodeConfig(n_embd=HIDDEN, n_layer=2, n_head=HEADS, n_positions=8, vocab_size=7, **TOKENS)
        ),
        block="transformer.h.{b}",
        qkv=("attn.c_attn",),
        dense="attn.c_proj",
        first=("mlp.c_fc",),
        second="mlp.c_proj",
    ),
    "nanogpt": Family(
        build=NanoGPT,
        block="transformer.h.{b}",
        qkv=("attn.c_attn",),
        dense="attn.c_proj",
        first=("mlp.c_fc",),
        second="mlp.c_proj",
        spied=False,
        split=lambda _, __, fused: fused.split(HIDDEN, dim=2),
    ),
    "modernbert": Family(
        build=lambda: tf.ModernBertForMaskedLM(tf.ModernBertConfig(**BERT_SIZES, **TEXT, **TOKENS)),
        block="model.layers.{b}",
        qkv=("attn.Wqkv",),
        dense="attn.Wo",
        first=("mlp.Wi",),
        second="mlp.Wo",
        activation="mlp.act",
    ),
    "modernbert_decoder": Family(
        build=lambda: tf.ModernBertDecoderForCausalLM(
            tf.ModernBertDecoderConfig(**BERT_SIZES, **TEXT, **TOKENS)
        ),
        block="model.layers.{b}",
        qkv=("attn.q_proj", "attn.k_proj", "attn.v_proj"),
        dense="attn.Wo",
        first=("mlp.Wi",),
        second="mlp.Wo",
        activation="mlp.act",
    ),
    "gemma3_images": Family(
        build=lambda: tf.Gemma3ForConditionalGeneration(
            tf.Gemma3Config(
                text_config={**GROUPED, **TOKENS},
                vision_config={
                    **BERT_SIZES,
                    "image_size": 4,
                    "patch_size": 2,
                },
                mm_tokens_per_image=1,
            )
        ),
        **{**GATED_BLOCK, "block": "model.language_model.layers.{b}"},
    ),
    "bart_decoder": Family(
        build=FAMILIES["bart"].build, block="model.decoder.layers.{b}", spied=False, **OPT_LIKE
    ),
    "whisper_decoder": Family(
        build=FAMILIES["whisper"].build,
        block="model.decoder.layers.{b}",
        inputs=FAMILIES["whisper"].inputs,
        spied=False,
        **OPT_LIKE,
    ),
    "clip": Family(
        build=_clip, block="text_model.encoder.layers.{b}", inputs=_text_and_image, spied=False, **CLIP_BLOCK
    ),
    "clip_vision": Family(
        build=_clip,
        block="vision_model.encoder.layers.{b}",
        inputs=_text_and_image,
        spied=False,
        **CLIP_BLOCK,
    ),
    "clip_text_model": Family(
        build=lambda: tf.CLIPTextModel(tf.CLIPTextConfig(**CLIP_TEXT)),
        block="encoder.layers.{b}",
        **CLIP_BLOCK,
    ),
    "clip_vision_model": Family(
        build=lambda: tf.CLIPVisionModel(tf.CLIPVisionConfig(**CLIP_IMAGE)),
        block="encoder.layers.{b}",
        inputs=_images,
        **CLIP_BLOCK,
    ),
    "dinov2_swiglu": Family(
        build=lambda: tf.Dinov2Model(
            tf.Dinov2Config(
                hidden_size=HIDDEN,
                num_hidden_layers=2,
                num_attention_heads=HEADS,
                mlp_ratio=2,
                image_size=4,
                patch_size=2,
                use_swiglu_ffn=True,
            )
        ),
        block="encoder.layer.{b}",
        qkv=("attention.q_proj", "attention.k_proj", "attention.v_proj"),
        dense="attention.o_proj",
        first=("mlp.gate_proj", "mlp.up_proj"),
        second="mlp.down_proj",
        inputs=_images,
    ),
}


FAMILIES |= {
    "ernie4_5": _gated(tf.Ernie4_5ForCausalLM, tf.Ernie4_5Config),
    "hunyuan_dense": _gated(tf.HunYuanDenseV1ForCausalLM, tf.HunYuanDenseV1Config),
    "ministral": _gated(tf.MinistralForCausalLM, tf.MinistralConfig),
    "ministral3": _gated(tf.Ministral3ForCausalLM, tf.Ministral3Config),
    "exaone4": _gated(tf.Exaone4ForCausalLM, tf.Exaone4Config),
    "seed_oss": _gated(tf.SeedOssForCausalLM, tf.SeedOssConfig),
    "helium": _gated(tf.HeliumForCausalLM, tf.HeliumConfig, **SQUARE_HEADS),
    "vaultgemma": _gated(tf.VaultGemmaForCausalLM, tf.VaultGemmaConfig),
    "eurobert": Family(
        build=lambda: tf.EuroBertModel(tf.EuroBertConfig(**GROUPED, **TOKENS)),
        **{**GATED_BLOCK, "block": "layers.{b}"},
    ),
    "nemotron": _plain(tf.NemotronForCausalLM, tf.NemotronConfig),
    "arcee": _plain(tf.ArceeForCausalLM, tf.ArceeConfig),
    "apertus": _plain(tf.ApertusForCausalLM, tf.ApertusConfig),
    "xlm_roberta": Family(
        build=lambda: tf.XLMRobertaForMaskedLM(tf.XLMRobertaConfig(**BERT_SIZES, **TEXT)),
        block="roberta.encoder.layer.{b}",
        qkv=BERT_QKV,
        **BERT_BLOCK,
    ),
    "esm": Family(
        build=lambda: tf.EsmForMaskedLM(
            tf.EsmConfig(
                **BERT_SIZES, **TEXT, pad_token_id=0, mask_token_id=6, position_embedding_type="absolute"
            )
        ),
        block="esm.encoder.layer.{b}",
        qkv=BERT_QKV,
        query_scale=(HIDDEN // HEADS) ** -0.5,
        **BERT_BLOCK,
    ),
    "deit": Family(
        build=lambda: tf.DeiTModel(tf.DeiTConfig(**BERT_SIZES, image_size=4, patch_size=2)),
        block="layers.{b}",
        qkv=("attention.q_proj", "attention.k_proj", "attention.v_proj"),
        dense="attention.o_proj",
        first=("mlp.fc1",),
        second="mlp.fc2",
        inputs=_images,
    ),
    "camembert": Family(
        build=lambda: tf.CamembertForMaskedLM(tf.CamembertConfig(**BERT_SIZES, **TEXT)),
        block="roberta.encoder.layer.{b}",
        qkv=BERT_QKV,
        **BERT_BLOCK,
    ),
}


def _experts_truth(experts: torch.nn.Module, hidden: int) -> dict[str, np.ndarray]:
    """Return what the experts of a block compute, those of one expert after those of the other.

    Their module is asked for one expert at a time: its gate and up are seen where they meet, its second matrix where
    it is applied.
    """
    found: dict[str, list[np.ndarray]] = {"gate": [], "up": [], "second": []}
    tokens = max(experts.gate_up_proj.shape[1:])
    for expert in range(experts.num_experts):
        states = torch.eye(tokens, hidden), torch.full((tokens, 1), expert), torch.ones(tokens, 1)
        parts = (
            _alternating(experts, *states)
            if isinstance(experts, GptOssExperts)
            else _by_products(experts, *states)
        )
        for kind, values in zip(found, parts, strict=True):
            found[kind].append(values.detach().numpy())
    return {
        "gate": np.concatenate(found["gate"])[:, :hidden],
        "up": np.concatenate(found["up"])[:, :hidden],
        "second": np.concatenate(found["second"], axis=1),
    }


def _by_products(experts: torch.nn.Module, *states: torch.Tensor) -> tuple[torch.Tensor, ...]:
    product, seen = torch.nn.functional.linear, []
    gates: list[torch.Tensor] = []

    def watched(left: torch.Tensor, right: torch.Tensor, *bias: Any) -> torch.Tensor:
        seen.append((left, right))
        return product(left, right, *bias)

    def ones(gate: torch.Tensor) -> torch.Tensor:
        gates.append(gate)
        return torch.ones_like(gate)

    with (
        mock.patch("torch.nn.functional.linear", watched),
        mock.patch.object(experts.act_fn, "forward", ones),
    ):
        type(experts).forward.__wrapped__(experts, *states)
    _, (up, second) = seen
    return gates[0].T, up.T, second


def _alternating(experts: torch.nn.Module, *states: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Take apart experts whose gate and up are divided by a method of their own, by what moves what in it."""
    divide, seen = experts._apply_gate, []

    def watched(gate_up: torch.Tensor) -> torch.Tensor:
        seen.append(gate_up)
        return torch.eye(*divide(gate_up).shape)

    with mock.patch.object(experts, "_apply_gate", watched):
        output = type(experts).forward.__wrapped__(experts, *states)
    (gate_up,) = seen
    size = gate_up.shape[1]
    # a gate alone lets a unit answer, an up alone does not
    answers = divide(torch.eye(size))
    gates = [int(place) for place in answers.abs().argmax(dim=0)]
    return gate_up.T[gates], gate_up.T[_ups(divide, gates, size)], output[: size // 2].T


def _ups(divide: Callable[[torch.Tensor], torch.Tensor], gates: list[int], size: int) -> list[int]:
    """Return which place moves each unit where all gates are open, the gates themselves left out."""
    others = [place for place in range(size) if place not in gates]
    opened = torch.zeros(len(others), size)
    opened[:, gates] = 1
    moved = opened.clone()
    moved[range(len(others)), others] += 1
    change = (divide(moved) - divide(opened)).abs()
    return [others[int(row)] for row in change.argmax(dim=0)]


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


def _gpt_oss() -> Any:
    return tf.GptOssConfig(**SHARING, num_local_experts=3, rope_parameters=PLAIN_ROPE)


MIXTURES: dict[str, tuple[Family, str]] = {
    "mixtral": (
        Family(
            build=lambda: tf.MixtralForCausalLM(tf.MixtralConfig(**SHARING, num_local_experts=3)),
            **MIXTURE_BLOCK,
        ),
        "mlp.experts",
    ),
    "qwen2_moe": (
        Family(
            build=lambda: tf.Qwen2MoeForCausalLM(
                tf.Qwen2MoeConfig(**{**SHARING, **SQUARE_HEADS}, num_experts=3, **QWEN_EXPERTS)
            ),
            **MIXTURE_BLOCK,
        ),
        "mlp.experts",
    ),
    "qwen3_moe": (
        Family(
            build=lambda: tf.Qwen3MoeForCausalLM(
                tf.Qwen3MoeConfig(**SHARING, num_experts=3, moe_intermediate_size=8)
            ),
            **MIXTURE_BLOCK,
        ),
        "mlp.experts",
    ),
    "olmoe": (
        Family(
            build=lambda: tf.OlmoeForCausalLM(tf.OlmoeConfig(**{**SHARING, **SQUARE_HEADS}, num_experts=3)),
            **MIXTURE_BLOCK,
        ),
        "mlp.experts",
    ),
    "gpt_oss": (
        Family(
            build=lambda: tf.GptOssForCausalLM(_gpt_oss()),
            **MIXTURE_BLOCK,
        ),
        "mlp.experts",
    ),
    "granite_moe": (
        Family(
            build=lambda: tf.GraniteMoeForCausalLM(
                tf.GraniteMoeConfig(**{**SHARING, **SQUARE_HEADS}, num_local_experts=3)
            ),
            **MIXTURE_BLOCK,
        ),
        "block_sparse_moe.experts",
    ),
}
LEADING = {
    "n_routed_experts": 3,
    "moe_intermediate_size": 8,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
}
MIXTURES |= {
    name: (Family(build=build, **MIXTURE_BLOCK), "mlp.experts")
    for name, build in {
        "phimoe": lambda: tf.PhimoeForCausalLM(
            tf.PhimoeConfig(**{**SHARING, **SQUARE_HEADS}, num_local_experts=3)
        ),
        "minimax_m2": lambda: tf.MiniMaxM2ForCausalLM(tf.MiniMaxM2Config(**SHARING, num_local_experts=3)),
        "flex_olmo": lambda: tf.FlexOlmoForCausalLM(
            tf.FlexOlmoConfig(**{**SHARING, **SQUARE_HEADS}, num_experts=3)
        ),
        "glm4_moe": lambda: tf.Glm4MoeForCausalLM(
            tf.Glm4MoeConfig(**SHARING, **LEADING, first_k_dense_replace=1)
        ),
        "dots1": lambda: tf.Dots1ForCausalLM(tf.Dots1Config(**SHARING, **LEADING, first_k_dense_replace=1)),
        "solar_open": lambda: tf.SolarOpenForCausalLM(tf.SolarOpenConfig(**SHARING, **LEADING)),
    }.items()
}
SHARED, IN_MEMORY = "_shared", "_in_memory"
MIXTURES |= {f"{name}{SHARED}": MIXTURES[name] for name in ("qwen2_moe", "glm4_moe")}
MIXTURES |= {f"{name}{IN_MEMORY}": MIXTURES[name] for name in ("mixtral", "qwen2_moe", "olmoe", "glm4_moe")}
FAMILIES |= {name: family for name, (family, _) in MIXTURES.items()}

STATE = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "vocab_size": 7, "state_size": 4, **TOKENS}
STATE_SPACES: dict[str, Callable[[], torch.nn.Module]] = {
    "mamba": lambda: tf.MambaForCausalLM(tf.MambaConfig(**STATE, time_step_rank=3)),
    "falcon_mamba": lambda: tf.FalconMambaForCausalLM(tf.FalconMambaConfig(**STATE, time_step_rank=3)),
    "mamba2": lambda: tf.Mamba2ForCausalLM(
        tf.Mamba2Config(**STATE, num_heads=4, head_dim=6, n_groups=2, chunk_size=4)
    ),
}


def _state_space_truth(model: torch.nn.Module, fresh: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return the projections of a state space model; which row does what is asked of an unplanted model.

    Closing the gate of a channel silences it, whatever comes through the convolutions; closing the channel itself
    silences it where they let it through.
    """
    truth = {}
    for b in range(2):
        mixer = model.get_submodule(f"backbone.layers.{b}.mixer")
        asked = fresh.get_submodule(f"backbone.layers.{b}.mixer")
        torch.nn.init.ones_(asked.conv1d.weight)
        either = _silencing(asked)
        torch.nn.init.zeros_(asked.conv1d.weight)
        torch.nn.init.ones_(asked.conv1d.bias)
        gates = _silencing(asked)
        rows, places = mixer.in_proj.weight.detach().numpy(), range(mixer.out_proj.in_features)
        truth[f"{b}.gate"] = rows[[gates[place][0] for place in places]]
        truth[f"{b}.channel"] = rows[[_other(either[place], gates[place]) for place in places]]
        truth[f"{b}.second"] = mixer.out_proj.weight.detach().numpy()
    return truth


def _other(rows: list[int], known: list[int]) -> int:
    (other,) = set(rows) - set(known)
    return other


def _silencing(mixer: torch.nn.Module) -> dict[int, list[int]]:
    """Return the rows of the input projection that silence one channel each when they are closed, by the channel."""
    rows = mixer.in_proj.out_features
    seen: list[torch.Tensor] = []
    hook = mixer.out_proj.register_forward_pre_hook(lambda _, args: seen.append(args[0][0, 0]))
    found: dict[int, list[int]] = {}
    for closed in range(rows):
        states = torch.ones(1, 1, rows)
        states[..., closed] = 0
        with torch.no_grad(), mock.patch.object(mixer.in_proj, "forward", lambda _, states=states: states):
            mixer.eval()(torch.zeros(1, 1, mixer.in_proj.in_features))
        silent = (seen[-1] == 0).nonzero().flatten().tolist()
        if len(silent) == 1:
            found.setdefault(silent[0], []).append(closed)
    hook.remove()
    return found


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


def _latent_truth(name: str, model: torch.nn.Module) -> dict[str, np.ndarray]:
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
        found["dense"] = _answers(block.self_attn.o_proj)
        found |= _feed_truth(name, block, HIDDEN)
        truth |= {f"{b}.{kind}": values for kind, values in found.items()}
    return truth


SPIED: list[dict[str, torch.Tensor]] = []


def _latent_spy(_: torch.nn.Module, *states: torch.Tensor, **__: object) -> tuple[torch.Tensor, None]:
    SPIED.append(dict(zip(("query", "key", "value"), states, strict=False)))
    return states[2].transpose(1, 2), None


def _answers(module: torch.nn.Module) -> np.ndarray:
    with torch.no_grad():
        return module(torch.eye(module.in_features)).T.numpy()


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
        truth = _state_space_truth(model, build())
    elif name in LATENT_ATTENTION:
        truth = _latent_truth(name, model)
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
            found = _feed_truth(name, block, hidden, experts=MIXTURES[name][1])
            truth |= {f"{b}.{kind}": values for kind, values in found.items()}
    return truth


def _dense(block: torch.nn.Module) -> bool:
    """Return whether a block stands before the mixtures."""
    return hasattr(block, "mlp") and not hasattr(block.mlp, "experts")


def _dense_truth(feed: torch.nn.Module) -> dict[str, np.ndarray]:
    modules = {"gate": "gate_proj", "up": "up_proj", "second": "down_proj"}
    return {kind: _answers(feed.get_submodule(own)) for kind, own in modules.items()}


def _feed_truth(
    name: str, block: torch.nn.Module, hidden: int, *, experts: str = "mlp.experts"
) -> dict[str, np.ndarray]:
    """Return what the feed-forward part of a block computes: a dense one, that of all tokens, or its experts."""
    if _dense(block):
        return _dense_truth(block.mlp)
    if name.endswith(SHARED):
        own = next(own for own in ("shared_expert", "shared_experts") if hasattr(block.mlp, own))
        return _dense_truth(block.mlp.get_submodule(own))
    return _experts_truth(operator.attrgetter(experts)(block), hidden)


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
