"""Encoders of text, images and sound, and those with a decoder behind them."""

from typing import Any

import torch
import transformers as tf

from tests.data.family_models.sizes import OPT_LIKE, SEPARATE, TOKENS, images
from tests.data.family_models.splits import split_by_products
from tests.data.make_tiny import (
    BERT_BLOCK,
    BERT_SIZES,
    FEED_FORWARD,
    GATED_BLOCK,
    GROUPED,
    HEADS,
    HIDDEN,
    TEXT,
    TOKEN,
    Family,
)

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
    return {"input_ids": torch.full((batch, 1), TOKEN), **images(batch)}


FAMILIES: dict[str, Family] = {
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
        inputs=images,
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
        inputs=images,
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
        split=split_by_products(
            "attention.self",
            "in_proj",
            scaled=(3 * HIDDEN // HEADS) ** 0.5,
            attention_mask=torch.ones(1, 1, 1, dtype=torch.bool),
        ),
        **BERT_BLOCK,
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
    "eurobert": Family(
        build=lambda: tf.EuroBertModel(tf.EuroBertConfig(**GROUPED, **TOKENS)),
        **{**GATED_BLOCK, "block": "layers.{b}"},
    ),
    "xlm_roberta": Family(
        build=lambda: tf.XLMRobertaForMaskedLM(tf.XLMRobertaConfig(**BERT_SIZES, **TEXT)),
        block="roberta.encoder.layer.{b}",
        qkv=BERT_QKV,
        **BERT_BLOCK,
    ),
    "camembert": Family(
        build=lambda: tf.CamembertForMaskedLM(tf.CamembertConfig(**BERT_SIZES, **TEXT)),
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
        inputs=images,
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
        inputs=images,
        **CLIP_BLOCK,
    ),
}
FAMILIES |= {
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
}
