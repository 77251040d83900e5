"""Builds the tiny models under tests/data/tiny: `python tests/data/make_tiny.py FOLDER`.

Needs torch, transformers and torchvision.

Every weight holds a number that encodes tensor, row and column. Beside each model stands truth.npz: what the
library itself computes with those weights, found by sending unit vectors through the model. So the tests
compare our reading with the library's forward pass, not with a second copy of our own index arithmetic.

truth.npz has arrays of shape (targets, sources): `{block}.query`, key, value (of every attention unit, shared
heads repeated), dense, first (or gate and up), second; for chains `{k}`, with the L2 norm where a kernel
stands between units.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as tf
from safetensors.torch import save_file
from torchvision.models.resnet import BasicBlock, ResNet
from transformers.integrations.sdpa_attention import repeat_kv

BLOCKS, HIDDEN, HEADS, FEED_FORWARD, VOCABULARY = 2, 12, 3, 20, 7
TOKEN = 2


@dataclass(frozen=True)
class Family:
    """A tiny model and the modules of one of its blocks.

    Attributes
    ----------
    build : makes the model
    block : name of a block's module, {b} is its number
    qkv, dense, first, second : modules inside a block; two names in `first` are gate and up, none where the
        feed-forward matrices are told by other means
    blocks : blocks that hold weights of their own
    query_scale : factor the library puts on queries before attention
    spied : False where the library's attention cannot be listened to
    split : the library's own division of what a fused tensor gives, where its attention cannot be listened to:
        from the model, the block's name and an array of shape (batch, 1, units) to query, key and value
    activation : module inside a block that sees the gate, where gate and up lie in one tensor
    inputs : keyword arguments of a forward pass for a batch size
    """

    build: Callable[[], torch.nn.Module]
    block: str
    qkv: tuple[str, ...]
    dense: str
    first: tuple[str, ...]
    second: str
    blocks: int = BLOCKS
    query_scale: float = 1.0
    spied: bool = True
    split: Callable[[torch.nn.Module, str, torch.Tensor], tuple[torch.Tensor, ...]] | None = None
    activation: str | None = None
    inputs: Callable[[int], dict[str, Any]] = field(
        default=lambda batch: {"input_ids": torch.full((batch, 1), TOKEN)}
    )


BERT_BLOCK = {
    "dense": "attention.output.dense",
    "first": ("intermediate.dense",),
    "second": "output.dense",
}
BERT_SIZES = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": HEADS,
    "intermediate_size": FEED_FORWARD,
}
TEXT = {"vocab_size": VOCABULARY, "max_position_embeddings": 8}
# Attention is 4 heads x 6 = 24 wide, so neither the hidden size nor the two key heads can be mistaken for it.
GROUPED = {**BERT_SIZES, **TEXT, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 6}
QWEN2 = {**BERT_SIZES, **TEXT, "hidden_size": 16, "num_attention_heads": 4, "num_key_value_heads": 2}
GATED_BLOCK = {
    "block": "model.layers.{b}",
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "dense": "self_attn.o_proj",
    "first": ("mlp.gate_proj", "mlp.up_proj"),
    "second": "mlp.down_proj",
}
GPT2 = {"n_embd": HIDDEN, "n_layer": BLOCKS, "n_head": HEADS, "vocab_size": VOCABULARY, "n_positions": 8}
GPT2_BLOCK = {"qkv": ("attn.c_attn",), "dense": "attn.c_proj", "first": ("mlp.c_fc",), "second": "mlp.c_proj"}
SPECIAL_TOKENS = {"bos_token_id": 0, "eos_token_id": 0}
T5 = {
    "d_model": HIDDEN,
    "d_kv": 5,
    "num_heads": HEADS,
    "d_ff": FEED_FORWARD,
    "num_layers": BLOCKS,
    "vocab_size": VOCABULARY,
}
T5_BLOCK = {
    "block": "encoder.block.{b}.layer",
    "qkv": ("0.SelfAttention.q", "0.SelfAttention.k", "0.SelfAttention.v"),
    "dense": "0.SelfAttention.o",
    "second": "1.DenseReluDense.wo",
    "spied": False,
}

FAMILIES = {
    "gpt_neox": Family(
        build=lambda: tf.GPTNeoXForCausalLM(tf.GPTNeoXConfig(**BERT_SIZES, **TEXT, **SPECIAL_TOKENS)),
        block="gpt_neox.layers.{b}",
        qkv=("attention.query_key_value",),
        dense="attention.dense",
        first=("mlp.dense_h_to_4h",),
        second="mlp.dense_4h_to_h",
    ),
    "gpt2": Family(
        build=lambda: tf.GPT2Model(tf.GPT2Config(**GPT2, **SPECIAL_TOKENS, n_inner=FEED_FORWARD)),
        block="h.{b}",
        **GPT2_BLOCK,
    ),
    "gpt2_lm": Family(
        build=lambda: tf.GPT2LMHeadModel(tf.GPT2Config(**GPT2, **SPECIAL_TOKENS)),
        block="transformer.h.{b}",
        **GPT2_BLOCK,
    ),
    "bert": Family(
        build=lambda: tf.BertForMaskedLM(tf.BertConfig(**BERT_SIZES, **TEXT)),
        block="bert.encoder.layer.{b}",
        qkv=("attention.self.query", "attention.self.key", "attention.self.value"),
        **BERT_BLOCK,
    ),
    "roberta": Family(
        build=lambda: tf.RobertaForMaskedLM(tf.RobertaConfig(**BERT_SIZES, **TEXT)),
        block="roberta.encoder.layer.{b}",
        qkv=("attention.self.query", "attention.self.key", "attention.self.value"),
        **BERT_BLOCK,
    ),
    "distilbert": Family(
        build=lambda: tf.DistilBertModel(
            tf.DistilBertConfig(dim=HIDDEN, n_layers=BLOCKS, n_heads=HEADS, hidden_dim=FEED_FORWARD, **TEXT)
        ),
        block="transformer.layer.{b}",
        qkv=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
        dense="attention.out_lin",
        first=("ffn.lin1",),
        second="ffn.lin2",
    ),
    "albert": Family(
        build=lambda: tf.AlbertForMaskedLM(tf.AlbertConfig(**BERT_SIZES, **TEXT, embedding_size=6)),
        block="albert.encoder.albert_layer_groups.{b}.albert_layers.0",
        qkv=("attention.query", "attention.key", "attention.value"),
        dense="attention.dense",
        first=("ffn",),
        second="ffn_output",
        blocks=1,
    ),
    "llama": Family(build=lambda: tf.LlamaForCausalLM(tf.LlamaConfig(**GROUPED)), **GATED_BLOCK),
    "mistral": Family(build=lambda: tf.MistralForCausalLM(tf.MistralConfig(**GROUPED)), **GATED_BLOCK),
    "qwen2": Family(build=lambda: tf.Qwen2ForCausalLM(tf.Qwen2Config(**QWEN2)), **GATED_BLOCK),
    "opt": Family(
        build=lambda: tf.OPTForCausalLM(
            tf.OPTConfig(
                hidden_size=HIDDEN,
                num_hidden_layers=BLOCKS,
                num_attention_heads=HEADS,
                ffn_dim=FEED_FORWARD,
                word_embed_proj_dim=8,
                **TEXT,
            )
        ),
        block="model.decoder.layers.{b}",
        qkv=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        dense="self_attn.out_proj",
        first=("fc1",),
        second="fc2",
        query_scale=(HIDDEN // HEADS) ** -0.5,
    ),
    "vit": Family(
        build=lambda: tf.ViTForImageClassification(tf.ViTConfig(**BERT_SIZES, image_size=4, patch_size=2)),
        # The library's modules have other names than the tensors it saves.
        block="vit.layers.{b}",
        qkv=("attention.q_proj", "attention.k_proj", "attention.v_proj"),
        dense="attention.o_proj",
        first=("mlp.fc1",),
        second="mlp.fc2",
        inputs=lambda batch: {"pixel_values": torch.zeros(batch, 3, 4, 4)},
    ),
    "t5_encoder": Family(
        build=lambda: tf.T5EncoderModel(tf.T5Config(**T5)), first=("1.DenseReluDense.wi",), **T5_BLOCK
    ),
    "t5_encoder_gated": Family(
        build=lambda: tf.T5ForConditionalGeneration(tf.T5Config(**T5, feed_forward_proj="gated-gelu")),
        first=("1.DenseReluDense.wi_0", "1.DenseReluDense.wi_1"),
        inputs=lambda batch: {
            "input_ids": torch.full((batch, 1), TOKEN),
            "decoder_input_ids": torch.full((batch, 1), TOKEN),
        },
        **T5_BLOCK,
    ),
}


def plant(model: torch.nn.Module) -> None:
    """Give every weight of two or more axes the number tensor * 2^16 + row * 2^8 + column; biases become 0.

    Of a tensor of experts each matrix has a number of its own. A kernel holds 3 times that number in its first place
    and 4 times in its last (1 time if that is the same place), so that its L2 norm is 5 times the number, and only if
    all of it is read.
    """
    number = 0
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if name.endswith("bias"):
                weight.zero_()
            elif weight.dim() > 1:
                for matrix in weight if ".experts." in name else [weight]:
                    number += 1
                    code = _code(number, matrix.shape)
                    matrix.copy_(code if matrix.dim() == 2 else _kernels(code, matrix.shape))


def _code(number: int, shape: torch.Size) -> torch.Tensor:
    return torch.arange(shape[1]) + (torch.arange(shape[0]) << 8)[:, None] + (number << 16)


def _kernels(code: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    flat = torch.zeros(shape[0], shape[1], int(np.prod(shape[2:])))
    flat[..., -1] = 4 * code
    flat[..., 0] = code if flat.shape[2] == 1 else 3 * code
    return flat.reshape(shape)


class Probe:
    """Sends unit vectors into chosen modules of a model and keeps what comes out at the first position."""

    def __init__(self, model: torch.nn.Module, batch: int) -> None:
        self.modules = dict(model.named_modules())
        self.batch = batch
        self.answers: dict[str, np.ndarray] = {}
        self.inputs: dict[str, np.ndarray] = {}

    def open(self, name: str) -> None:
        """Let an activation pass everything: keep what it sees, and answer 1."""

        def ones(_: torch.nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
            self.inputs[name] = _columns(args[0])
            return torch.ones_like(output)

        self.modules[name].register_forward_hook(ones)

    def feed(self, name: str) -> None:
        """Replace the input of a module by unit vector b in batch entry b, and keep its output."""

        def units(_: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            self.inputs[name] = _columns(args[0])
            return (first_position(torch.zeros_like(args[0])), *args[1:])

        self.modules[name].register_forward_pre_hook(units)
        self.listen(name)

    def listen(self, name: str) -> None:
        """Keep the output of a module."""

        def keep(_: torch.nn.Module, __: object, output: torch.Tensor) -> None:
            self.answers[name] = _columns(output)

        self.modules[name].register_forward_hook(keep)


def _columns(states: torch.Tensor) -> np.ndarray:
    """Return (units, batch): what stands at the first position."""
    # a copy: a library may add to its states in place
    return (states if states.dim() == 2 else states[:, 0]).detach().clone().T.numpy()


def first_position(zeros: torch.Tensor) -> torch.Tensor:
    """Put unit vector b at position 0 of batch entry b, into zeros of shape (batch, [positions,] units)."""
    units = min(zeros.shape[0], zeros.shape[-1])
    (zeros if zeros.dim() == 2 else zeros[:, 0])[range(units), range(units)] = 1
    return zeros


def transformer_truth(family: Family, model: torch.nn.Module) -> dict[str, np.ndarray]:
    """Return what a model computes inside each of its blocks."""
    batch = max(max(weight.shape) for weight in model.parameters() if weight.dim() == 2)
    probe = Probe(model, batch)
    spied: list[dict[str, np.ndarray]] = []

    def spy(module: torch.nn.Module, *states: torch.Tensor, **_: object) -> tuple[torch.Tensor, None]:
        groups = getattr(module, "num_key_value_groups", 1)
        query, key, value = states[0], repeat_kv(states[1], groups), repeat_kv(states[2], groups)
        kinds = {"query": query / family.query_scale, "key": key, "value": value}
        spied.append({kind: heads[:, :, 0].flatten(1).detach().T.numpy() for kind, heads in kinds.items()})
        n_batch, heads, positions, size = query.shape
        answer = first_position(torch.zeros(n_batch, positions, heads * size))
        return answer.unflatten(2, (heads, size)), None

    if family.spied:
        tf.AttentionInterface.register("spy", spy)
        model.set_attn_implementation("spy")
    for b in range(family.blocks):
        for name in (*family.qkv, *family.first, *([family.second] if family.first else [])):
            probe.feed(f"{family.block.format(b=b)}.{name}")
        (probe.listen if family.spied else probe.feed)(f"{family.block.format(b=b)}.{family.dense}")
        if family.activation:
            probe.open(f"{family.block.format(b=b)}.{family.activation}")
    with torch.no_grad():
        model.eval()(**family.inputs(batch))
    return {
        f"{b}.{kind}": values
        for b in range(family.blocks)
        for kind, values in _block_truth(family, model, probe, spied, b).items()
    }


def _block_truth(
    family: Family, model: torch.nn.Module, probe: Probe, spied: list[dict[str, np.ndarray]], b: int
) -> dict[str, np.ndarray]:
    def answer(name: str) -> np.ndarray:
        return probe.answers[f"{family.block.format(b=b)}.{name}"]

    hidden = answer(family.dense).shape[0]
    if family.spied:
        qkv = spied[b]
    elif family.split:
        fused = torch.from_numpy(answer(family.qkv[0]).T[:, None])
        states = family.split(model, family.block.format(b=b), fused)
        qkv = {kind: _columns(heads) for kind, heads in zip(("query", "key", "value"), states, strict=True)}
    else:
        qkv = dict(zip(("query", "key", "value"), map(answer, family.qkv), strict=True))
    attention = qkv["query"].shape[0]
    own = {
        **{kind: values[:, :hidden] for kind, values in qkv.items()},
        "dense": answer(family.dense)[:, :attention],
    }
    if not family.first:
        return own
    first = _first_truth(family, probe, b)
    wide = next(iter(first.values())).shape[0]
    fed = {kind: values[:, :hidden] for kind, values in first.items()}
    return {**own, **fed, "second": answer(family.second)[:, :wide]}


def _first_truth(family: Family, probe: Probe, b: int) -> dict[str, np.ndarray]:
    """Return what feeds the feed-forward units: one matrix, or gate and up."""
    block = family.block.format(b=b)
    if family.activation:
        return {
            "gate": probe.inputs[f"{block}.{family.activation}"],
            "up": probe.inputs[f"{block}.{family.second}"],
        }
    kinds = ("first",) if len(family.first) == 1 else ("gate", "up")
    return {kind: probe.answers[f"{block}.{name}"] for kind, name in zip(kinds, family.first, strict=True)}


def chain_truth(
    model: torch.nn.Module, example: torch.Tensor, *, off_path: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return the strength between units of each layer, in the order in which the model runs its layers."""
    strengths: list[np.ndarray] = []

    def keep(module: torch.nn.Module, *_: object) -> None:
        strengths.append(strength(module))

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d) and not any(
            part in name for part in off_path
        ):
            module.register_forward_hook(keep)
    with torch.no_grad():
        model.eval()(example)
    return {str(k): values for k, values in enumerate(strengths)}


def strength(module: torch.nn.Module) -> np.ndarray:
    """Return (targets, sources): what one source unit brings out of a layer, as an L2 norm for channels."""
    if isinstance(module, torch.nn.Linear):
        return torch.nn.functional.linear(torch.eye(module.in_features), module.weight).T.detach().numpy()
    size = module.weight.shape[2]
    impulses = torch.eye(module.in_channels, dtype=torch.float64)[:, :, None, None]
    answers = torch.nn.functional.conv2d(impulses, module.weight.double(), padding=size - 1)
    return answers.flatten(2).norm(dim=2).T.detach().numpy()


def plain_mlp() -> torch.nn.Module:
    """Build seven layers, so that the last ones (10, 12) come after 2 only in natural order."""
    sizes = [5, 9, 8, 7, 7, 8, 9, 3]
    layers = [
        module
        for wide in zip(sizes, sizes[1:], strict=False)
        for module in (torch.nn.Linear(*wide), torch.nn.ReLU())
    ]
    return torch.nn.Sequential(*layers[:-1])


def hub_resnet() -> torch.nn.Module:
    """Build a bottleneck ResNet of transformers."""
    return tf.ResNetForImageClassification(
        tf.ResNetConfig(embedding_size=6, hidden_sizes=[8, 16], depths=[1, 2], layer_type="bottleneck")
    )


def vision_resnet() -> torch.nn.Module:
    """Build a ResNet of torchvision's own blocks with its stem and stages cut down to a few channels."""
    model = ResNet(BasicBlock, [1, 2, 1, 1], num_classes=3, width_per_group=64)
    model.inplanes = 6
    model.conv1, model.bn1 = torch.nn.Conv2d(3, 6, 7, 2, 3, bias=False), torch.nn.BatchNorm2d(6)
    for k, (planes, blocks) in enumerate([(6, 1), (8, 2), (9, 1), (10, 1)], start=1):
        setattr(model, f"layer{k}", model._make_layer(BasicBlock, planes, blocks, stride=1 if k == 1 else 2))
    model.fc = torch.nn.Linear(10, 3)
    return model


IMAGE = torch.zeros(1, 3, 32, 32)
CHAINS: dict[str, tuple[Callable[[], torch.nn.Module], torch.Tensor, tuple[str, ...]]] = {
    "mlp": (plain_mlp, torch.zeros(1, 5), ()),
    "resnet": (hub_resnet, IMAGE, ("shortcut", "classifier")),
    "resnet_torchvision": (vision_resnet, IMAGE, ("downsample", "fc")),
}


def save(folder: Path, model: torch.nn.Module, truth: dict[str, np.ndarray]) -> None:
    """Write a model as its library does, and the truth beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model, tf.PreTrainedModel):
        model.set_attn_implementation("eager")
        model.save_pretrained(folder)
        config = json.loads((folder / "config.json").read_text())
        config.pop("transformers_version", None)
        (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
        (folder / "generation_config.json").unlink(missing_ok=True)
    else:
        save_file(model.state_dict(), folder / "model.safetensors")
    compact = {name: values.astype(np.float32) for name, values in truth.items()}
    if any((compact[name] != values).any() for name, values in truth.items()):
        raise ValueError(f"{folder.name}: the planted numbers do not fit float32")
    np.savez_compressed(folder / "truth.npz", **compact)


def make(target: Path) -> None:
    """Build all tiny models under `target`."""
    torch.manual_seed(0)
    for name, family in FAMILIES.items():
        model = family.build()
        plant(model)
        save(target / name, model, transformer_truth(family, model))
    for name, (build, example, off_path) in CHAINS.items():
        model = build()
        plant(model)
        save(target / name, model, chain_truth(model, example, off_path=off_path))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the tiny models of the tests.")
    parser.add_argument("target", type=Path, help="folder to write to, such as tests/data/tiny")
    make(parser.parse_args().target)
