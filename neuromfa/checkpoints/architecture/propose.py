"""A first architecture file for tensors that no known family has: a draft from their names and shapes, to be checked.

Blocks are found by the numbers in names. Which tensor does what is told by words that families use (`wq`, `up_proj`,
`fc2` ...) and by shapes; sizes are taken from the tensors themselves, so that config.json is needed for heads alone.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neuromfa.checkpoints.formats.tensor_store import TensorStore

NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")
SPREAD = "0.02"
HEADS = ["num_attention_heads", "n_head", "n_heads", "num_heads"]
SHARED_HEADS = ["num_key_value_heads", "n_kv_heads", "num_kv_heads", "n_head_kv"]

# Words of a name, the last that is no `weight` first, by what the tensor does; earlier lines win.
WORDS: Mapping[str, tuple[str, ...]] = {
    "fused": ("qkv", "wqkv", "c_attn", "query_key_value", "qkv_proj", "in_proj", "to_qkv"),
    "query": ("q", "query", "wq", "q_proj", "q_lin", "to_q", "query_proj"),
    "key": ("k", "key", "wk", "k_proj", "k_lin", "to_k", "key_proj"),
    "value": ("v", "value", "wv", "v_proj", "v_lin", "to_v", "value_proj"),
    "gate": ("gate", "gate_proj", "wi_0", "linear_gate", "w1"),
    "up": (
        "up",
        "up_proj",
        "fc1",
        "c_fc",
        "fc_in",
        "lin1",
        "linear1",
        "wi",
        "wi_1",
        "w3",
        "dense_h_to_4h",
        "expand",
        "0",
    ),
    "down": (
        "down",
        "down_proj",
        "fc2",
        "fc_out",
        "lin2",
        "linear2",
        "w2",
        "dense_4h_to_h",
        "contract",
        "2",
        "3",
    ),
    "dense": ("o", "o_proj", "out_proj", "wo", "out_lin", "to_out", "out", "dense", "proj", "c_proj"),
}
FEED_FORWARD = ("mlp", "ffn", "ff", "feed_forward", "feedforward")


@dataclass(frozen=True)
class Repeated:
    """A matrix that every block has: its name with {block}, its shape, and in how many blocks it stands."""

    template: str
    shape: tuple[int, ...]
    blocks: int


@dataclass(frozen=True)
class Draft:
    """A first architecture file: its content, what was taken for what, and what was left over."""

    content: dict[str, Any]
    parts: dict[str, str]
    left_over: list[str]


def draft(tensors: TensorStore, *, name: str) -> Draft | None:
    """Return a first architecture file for the blocks of a checkpoint, None where none can be made out."""
    repeated = list(repeated_matrices(tensors))
    parts = _parts(repeated)
    if not {"up", "down"} <= parts.keys() or not (
        {"query", "key", "value"} <= parts.keys() or "fused" in parts
    ):
        return None
    if "dense" not in parts:
        return None
    taken = {one.template for one in parts.values()}
    return Draft(
        _content(parts, name=name),
        {kind: one.template for kind, one in parts.items()},
        sorted(one.template for one in repeated if one.template not in taken),
    )


def repeated_matrices(tensors: TensorStore) -> Iterator[Repeated]:
    """Yield the matrices that stand in blocks 0, 1, 2 ... with one shape."""
    found: dict[str, dict[int, tuple[int, ...]]] = {}
    for name in tensors.names():
        number = NUMBER.search(name)
        shape = tensors.info(name).shape
        if number is not None and len(shape) == 2:
            template = f"{name[: number.start()]}{{block}}{name[number.end() :]}"
            found.setdefault(template, {})[int(number.group())] = shape
    for template, shapes in found.items():
        if sorted(shapes) == list(range(len(shapes))) and len(set(shapes.values())) == 1:
            yield Repeated(template, shapes[0], len(shapes))


def _parts(repeated: Sequence[Repeated]) -> dict[str, Repeated]:
    """Return which matrix does what; a matrix that stands for two things stands for the first."""
    found: dict[str, Repeated] = {}
    width = _width(repeated)
    for one in repeated:
        kind = _kind(one, width=width)
        if kind is not None:
            found.setdefault(kind, one)
    if "gate" in found and "up" not in found:
        # w1 is a gate beside a w3 only
        found["up"] = found.pop("gate")
    return found


def _kind(one: Repeated, *, width: int) -> str | None:
    words = one.template.removesuffix(".weight").split(".")[1:]
    last = words[-1].lower()
    inside = any(word.lower() in FEED_FORWARD for word in words)
    if inside and last in ("c_proj", "proj", "out", "wo", "out_proj", "dense"):
        return "down"
    kinds = [kind for kind, known in WORDS.items() if last in known]
    if not inside:
        kinds = [kind for kind in kinds if kind not in ("up", "down") or last not in ("0", "2", "3")]
    if inside and kinds and kinds[0] in ("query", "key", "value", "fused"):
        return None
    return next((kind for kind in kinds if width in one.shape), None)


def _width(repeated: Sequence[Repeated]) -> int:
    """Return the width of the model: the size that most axes have."""
    sizes = Counter(size for one in repeated for size in one.shape)
    return sizes.most_common(1)[0][0] if sizes else 0


def _content(parts: Mapping[str, Repeated], *, name: str) -> dict[str, Any]:
    width = _width(list(parts.values()))
    gated, fused = "gate" in parts, "fused" in parts
    turned = parts["up"].shape[0] == width != parts["up"].shape[1]
    out, into = (1, 0) if turned else (0, 1)
    shared = not fused and parts["key"].shape[out] < parts["query"].shape[out]

    def matrix(kind: str, **more: Any) -> dict[str, Any]:
        orientation = {"orientation": "in_out"} if turned else {}
        return {"tensor": parts[kind].template, **orientation, **more, "init": {"spread": SPREAD}}

    def axis(kind: str, place: int) -> dict[str, Any]:
        return {"axis": [parts[kind].template.replace("{block}", "0"), place]}

    heads = {"heads": "heads", "shared_heads": "kv_heads"} if shared else {}
    qkv = (
        [matrix("fused", fused="qkv")]
        if fused
        else [matrix("query"), *(matrix(kind, **heads) for kind in ("key", "value"))]
    )
    first = (
        [{"matrices": [matrix("gate"), matrix("up")]}, {"wiring": "own"}]
        if gated
        else [{"matrices": [matrix("up")]}]
    )
    gated_row = {"row": "gated", "kinds": ["gate", "up"], "size": "feed_forward", "draw": "n5", "times": 2}
    return {
        "name": name,
        "title": f"{name} (first draft, to be checked)",
        "extends": "_transformer",
        "prefixes": [""],
        "sizes": {
            "blocks": {"counted": parts["up"].template},
            "hidden": axis("up", into),
            "attention": axis("dense", into),
            "feed_forward": axis("up", out),
            **({"heads": {"keys": HEADS}, "kv_heads": {"keys": SHARED_HEADS}} if shared else {}),
        },
        "blocks": {
            "repeat": "blocks",
            "rows": [
                {"row": "input", "kinds": ["input"], "size": "hidden", "draw": "n1"},
                {"row": "qkv", "kinds": ["query", "key", "value"], "size": "attention", "draw": "t"},
                {"row": "attention", "kinds": ["attention"], "size": "attention", "draw": "t"},
                {"row": "dense", "kinds": ["dense"], "size": "hidden", "draw": "n4"},
                *([gated_row] if gated else []),
                {"row": "mlp", "kinds": ["mlp"], "size": "feed_forward", "draw": "n5", "times": 2},
            ],
            "links": [
                {"matrices": qkv},
                {"wiring": "attention"},
                {"matrices": [matrix("dense")]},
                *first,
                {"matrices": [matrix("down")]},
            ],
            "output": {"row": "output", "kinds": ["output"], "size": "hidden", "draw": "n6"},
        },
    }
