"""Decoders of text."""

from typing import Any

import transformers as tf

from tests.data.family_models.nanogpt import NanoGPT
from tests.data.family_models.sizes import SEPARATE, SQUARE, SQUARE_HEADS, TOKENS
from tests.data.family_models.splits import bloom_split, falcon_split, split_by_products
from tests.data.make_tiny import BERT_SIZES, GATED_BLOCK, GROUPED, HEADS, HIDDEN, QWEN2, TEXT, Family


def _gated(model: Any, config: Any, **sizes: Any) -> Family:
    sizes = {key: value for key, value in {**GROUPED, **TOKENS, **sizes}.items() if value is not ...}
    return Family(build=lambda: model(config(**sizes)), **GATED_BLOCK)


def _plain(model: Any, config: Any) -> Family:
    """A model as Llama, without gates."""
    block = {**GATED_BLOCK, "first": ("mlp.up_proj",)}
    return Family(build=lambda: model(config(**{**GROUPED, **TOKENS})), **block)


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
    "split": falcon_split,
}
FUSED_GATE = {
    "block": "model.layers.{b}",
    "dense": "self_attn.o_proj",
    "first": ("mlp.gate_up_proj",),
    "second": "mlp.down_proj",
}


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
        split=bloom_split,
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
        split=split_by_products("attn", "Wqkv", position_bias=None),
    ),
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
    "ernie4_5": _gated(tf.Ernie4_5ForCausalLM, tf.Ernie4_5Config),
    "hunyuan_dense": _gated(tf.HunYuanDenseV1ForCausalLM, tf.HunYuanDenseV1Config),
    "ministral": _gated(tf.MinistralForCausalLM, tf.MinistralConfig),
    "ministral3": _gated(tf.Ministral3ForCausalLM, tf.Ministral3Config),
    "exaone4": _gated(tf.Exaone4ForCausalLM, tf.Exaone4Config),
    "seed_oss": _gated(tf.SeedOssForCausalLM, tf.SeedOssConfig),
    "helium": _gated(tf.HeliumForCausalLM, tf.HeliumConfig, **SQUARE_HEADS),
    "vaultgemma": _gated(tf.VaultGemmaForCausalLM, tf.VaultGemmaConfig),
    "nemotron": _plain(tf.NemotronForCausalLM, tf.NemotronConfig),
    "arcee": _plain(tf.ArceeForCausalLM, tf.ArceeConfig),
    "apertus": _plain(tf.ApertusForCausalLM, tf.ApertusConfig),
}
