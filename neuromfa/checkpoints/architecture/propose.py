"""A first architecture file for tensors that no known family has: a draft from their names and shapes, to be checked.

Blocks are found by the numbers in names. Which tensor does what is told by words that families use (`wq`, `up_proj`,
`fc2` ...) and by shapes; sizes are taken from the tensors themselves, so that config.json is needed for heads alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from neuromfa.checkpoints.architecture.draft_file import FeedForward, Plan, content, other_axis
from neuromfa.checkpoints.architecture.draft_heads import Heads, heads_of
from neuromfa.checkpoints.architecture.repeated import Repeated, repeated_matrices, stacks, width_of
from neuromfa.checkpoints.formats.tensor_store import TensorStore

# The last word of a name, by what the tensor does.
ATTENTION: Mapping[str, tuple[str, ...]] = {
    "fused": ("qkv", "wqkv", "c_attn", "query_key_value", "qkv_proj", "in_proj", "to_qkv", "attn_qkv"),
    "query": ("q", "query", "wq", "q_proj", "q_lin", "to_q", "query_proj", "attn_q", "q_linear"),
    "key": ("k", "key", "wk", "k_proj", "k_lin", "to_k", "key_proj", "attn_k", "k_linear"),
    "value": ("v", "value", "wv", "v_proj", "v_lin", "to_v", "value_proj", "attn_v", "v_linear"),
    "dense": (
        *("o", "o_proj", "out_proj", "wo", "out_lin", "to_out", "out", "dense", "proj", "c_proj"),
        *("attn_output", "attn_out", "output", "out_linear"),
    ),
}
FEED_FORWARD: Mapping[str, tuple[str, ...]] = {
    "gate": ("gate", "gate_proj", "wi_0", "linear_gate", "w1", "ffn_gate", "linear_v"),
    "up": (
        *("up", "up_proj", "fc1", "c_fc", "fc_in", "lin1", "linear1", "linear_1", "wi", "wi_1", "w3"),
        *(
            "dense_h_to_4h",
            "expand",
            "ffn_up",
            "gate_up_proj",
            "gate_up",
            "w12",
            "w13",
            "input_linear",
            "weights_in",
        ),
    ),
    "down": (
        *("down", "down_proj", "fc2", "fc_out", "lin2", "linear2", "linear_2", "w2", "dense_4h_to_h"),
        *("contract", "ffn_down", "output_linear", "weights_out"),
    ),
}
# What a tensor does where its module is one of these.
INSIDE = (
    "mlp",
    "ffn",
    "ff",
    "feed_forward",
    "feedforward",
    "moe",
    "experts",
    "densereludense",
    "densegatedactdense",
)
INSIDE_UP = ("0", "in", "in_proj", "dense1", "expand")
INSIDE_DOWN = ("2", "3", "c_proj", "proj", "out", "wo", "out_proj", "dense", "dense2", "o_proj")
# As BERT calls them, where the last word is `dense`: what stands before it tells.
BERT_UP, BERT_DOWN = "intermediate", "output"
# Beside the path through a block.
ASIDE = ("cross", "encoder_attn", "encdec", "enc_dec", "shared", "router", "indexer", "lora")


@dataclass(frozen=True)
class Draft:
    """A first architecture file: its content, what was taken for what, what was assumed, and what was left over."""

    content: dict[str, Any]
    parts: dict[str, str]
    assumed: list[str]
    left_over: list[str]


def draft(tensors: TensorStore, *, name: str) -> Draft | None:
    """Return a first architecture file for the blocks of a checkpoint, None where none can be made out."""
    repeated = repeated_matrices(tensors)
    plan = next((plan for stack in stacks(repeated) if (plan := _plan(stack, tensors)) is not None), None)
    if plan is None:
        return None
    taken = {one.template for one in plan.parts.values()}
    return Draft(
        content(plan, name=name),
        {kind: one.template for kind, one in plan.parts.items()},
        plan.assumed,
        sorted(one.template for one in repeated if one.template not in taken),
    )


def _plan(stack: Sequence[Repeated], tensors: TensorStore) -> Plan | None:
    """Return what the matrices of one stack of blocks do, None without feed-forward matrices in all blocks.

    Leading blocks of another kind are told apart by matrices of attention, which all blocks have.
    """
    width, blocks = width_of(stack), max(one.end for one in stack)
    path = [one for one in stack if not any(aside in ".".join(one.words) for aside in ASIDE)]
    feeds = [*_feeds(path, width=width, blocks=blocks)]
    attention = _attention(path, width=width, blocks=blocks)
    if not feeds or (feeds[1:] and not attention):
        return None
    plan = Plan(width, attention, feeds[-1], feeds[0] if feeds[1:] else None, None)
    return replace(plan, heads=_heads(plan, tensors)) if attention else plan


def _heads(plan: Plan, tensors: TensorStore) -> Heads | None:
    """Return what tells the heads, None where no matrix needs to know them."""
    if not plan.shared and not ("fused" in plan.attention and plan.per_head):
        return None
    block = f"{plan.dense.stack}0"
    return heads_of(tensors, width=plan.attention_width, shared=plan.keys, block=block)


def _attention(path: Sequence[Repeated], *, width: int, blocks: int) -> dict[str, Repeated]:
    """Return the matrices of attention, none where they cannot be told or do not fit together."""
    found: dict[str, Repeated] = {}
    for one in path:
        if (one.first, one.end, one.experts) == (0, blocks, 1) and (kind := _attends(one, width=width)):
            found.setdefault(kind, one)
    separate = [found.get(kind) for kind in ("query", "key", "value")]
    if "dense" not in found:
        return {}
    wide = other_axis(found["dense"], width)
    if None not in separate:
        query, key, value = (other_axis(one, width) for one in separate if one is not None)
        found.pop("fused", None)
        return found if query == wide and key == value and wide % key == 0 else {}
    fused = found.get("fused")
    if (
        fused is None
        or not wide < other_axis(fused, width) <= 3 * wide
        or (other_axis(fused, width) - wide) % 2
    ):
        return {}
    return {"fused": fused, "dense": found["dense"]}


def _attends(one: Repeated, *, width: int) -> str | None:
    if _inside(one) or width not in one.shape:
        return None
    last = one.words[-1] if one.words else ""
    if last == "dense" and _of_bert(one) is not None:
        return None
    return next((kind for kind, words in ATTENTION.items() if last in words), None)


def _of_bert(one: Repeated) -> str | None:
    """Return whether a tensor called `dense` is up or down, None where it is that of attention."""
    before = one.words[-2:-1]
    if before == [BERT_UP]:
        return "up"
    return "down" if one.words[:-1] == [BERT_DOWN] else None


def _inside(one: Repeated) -> bool:
    return any(word in INSIDE for word in one.words[:-1])


def _feeds(path: Sequence[Repeated], *, width: int, blocks: int) -> Iterator[FeedForward]:
    """Yield the feed-forward matrices of all blocks, or of the leading ones and then of the others."""
    ranges = sorted({(one.first, one.end) for one in path})
    found = {run: feed for run in ranges if (feed := _feed(path, run, width=width)) is not None}
    if (0, blocks) in found:
        yield found[0, blocks]
        return
    for (first, end), leading in found.items():
        if first == 0 and (end, blocks) in found:
            yield from (leading, found[end, blocks])
            return


def _feed(path: Sequence[Repeated], run: tuple[int, int], *, width: int) -> FeedForward | None:
    """Return the feed-forward matrices that stand in a run of blocks, None where they do not fit together."""
    found: dict[str, Repeated] = {}
    for one in path:
        if (one.first, one.end) == run and (kind := _feeds_forward(one, width=width)):
            found.setdefault(kind, one)
    if "up" not in found and "gate" in found:
        # w1 is a gate beside a w3 only
        found["up"] = found.pop("gate")
    if not {"up", "down"} <= found.keys():
        return None
    up, down, gate = found["up"], found["down"], found.get("gate")
    if gate is not None and (gate.shape, gate.experts) != (up.shape, up.experts):
        gate = None
    both = gate is None and other_axis(up, width) == 2 * other_axis(down, width)
    if up.experts != down.experts or not both and sorted(up.shape) != sorted(down.shape):
        return None
    return FeedForward(up, down, gate, both=both)


def _feeds_forward(one: Repeated, *, width: int) -> str | None:
    last = one.words[-1] if one.words else ""
    if width not in one.shape:
        return None
    if _inside(one) and last in (*INSIDE_UP, *INSIDE_DOWN):
        return "up" if last in INSIDE_UP else "down"
    if last == "dense":
        return _of_bert(one)
    return next((kind for kind, words in FEED_FORWARD.items() if last in words), None)
