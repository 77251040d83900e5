"""The content of a first architecture file, once it is known which matrix does what."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from neuromfa.checkpoints.architecture.draft_heads import Heads
from neuromfa.checkpoints.architecture.repeated import Repeated

SPREAD = "0.02"
PER_HEAD = "query_key_value"
"""Families that call it so put the parts of each head side by side; those of other names one part after the other."""

Json = dict[str, Any]


@dataclass(frozen=True)
class FeedForward:
    """The feed-forward matrices of a block; `both` where gate and up lie in the one called up."""

    up: Repeated
    down: Repeated
    gate: Repeated | None
    both: bool

    @property
    def gated(self) -> bool:
        """True where units have a gate."""
        return self.both or self.gate is not None

    @property
    def parts(self) -> dict[str, Repeated]:
        """The matrices by what they do."""
        gate = {"gate": self.gate} if self.gate is not None else {}
        return {**gate, "gate and up" if self.both else "up": self.up, "down": self.down}


@dataclass(frozen=True)
class Plan:
    """What the matrices of a stack of blocks do.

    Attributes
    ----------
    width : of the model
    attention : query, key and value, or the one they are fused in, and dense; empty where it cannot be told
    feed : feed-forward matrices of all blocks, or of those behind the leading ones
    leading : those of the leading blocks, where they differ
    heads : where heads are told, None where no matrix needs to know
    """

    width: int
    attention: Mapping[str, Repeated]
    feed: FeedForward
    leading: FeedForward | None
    heads: Heads | None

    @property
    def parts(self) -> dict[str, Repeated]:
        """The matrices by what they do, those of leading blocks under words of their own."""
        first = self.leading.parts if self.leading else {}
        return {
            **self.attention,
            **self.feed.parts,
            **{f"leading {kind}": one for kind, one in first.items()},
        }

    @property
    def assumed(self) -> list[str]:
        """What neither names nor shapes tell, to be checked."""
        return [*self._assumed()]

    def _assumed(self) -> Iterator[str]:
        if not self.attention:
            yield "attention cannot be made out and is left out"
        if "fused" in self.attention:
            order = "head by head" if self.per_head else "one after the other"
            yield f"queries, keys and values lie in their tensor {order}"
        if any(feed.both for feed in (self.feed, self.leading) if feed is not None):
            yield "gates lie in their tensor before the units that they open"
        if self.heads is not None and self.heads.assumed is not None:
            yield self.heads.assumed

    @cached_property
    def turned(self) -> bool:
        """True where the matrices of attention lie input first; square ones lie as those of feed-forward do."""
        into = [one for kind, one in self.attention.items() if kind != "dense"]
        told = _turned(into, self.dense, self.width)
        return self.feed_turned(self.feed) if told is None else told

    def feed_turned(self, feed: FeedForward) -> bool:
        """Return whether feed-forward matrices lie input first."""
        return bool(_turned([feed.up], feed.down, self.width))

    @property
    def per_head(self) -> bool:
        """True where query, key and value lie side by side head by head in one tensor of equal parts."""
        return self.attention["fused"].words[-1] == PER_HEAD and not self.shared

    @property
    def shared(self) -> bool:
        """True where several heads share a key and a value."""
        return self.keys < self.attention_width

    @property
    def dense(self) -> Repeated:
        """Attention's output projection."""
        return self.attention["dense"]

    @property
    def attention_width(self) -> int:
        """Units of attention."""
        return other_axis(self.dense, self.width)

    @property
    def keys(self) -> int:
        """Rows of keys."""
        if "fused" in self.attention:
            return (other_axis(self.attention["fused"], self.width) - self.attention_width) // 2
        return other_axis(self.attention["key"], self.width)


def other_axis(one: Repeated, width: int) -> int:
    """Return the size of the axis that is not the width of the model."""
    rows, columns = one.shape
    return columns if rows == width else rows


def _turned(into: Iterable[Repeated], out: Repeated, width: int) -> bool | None:
    """Return whether matrices lie input first, None where all of them are square."""
    ends = [one.shape for one in into] + [out.shape[::-1]]
    return next((targets == width for targets, sources in ends if targets != sources), None)


def content(plan: Plan, *, name: str) -> Json:
    """Return the content of the file."""
    leading = {"leading": _leading(plan, plan.leading)} if plan.leading is not None else {}
    rows, links = _block(plan, plan.feed, "")
    nested = {"nested": plan.heads.nested} if plan.heads is not None and plan.heads.nested else {}
    return {
        "name": name,
        "title": f"{name} (first draft, to be checked)",
        "extends": "_transformer",
        **nested,
        "prefixes": [""],
        "sizes": _sizes(plan),
        "blocks": {
            "repeat": "blocks",
            "rows": rows,
            "links": links,
            "output": {"row": "output", "kinds": ["output"], "size": "hidden", "draw": "n6"},
            **leading,
        },
    }


def _leading(plan: Plan, feed: FeedForward) -> Json:
    rows, links = _block(plan, feed, "leading_")
    return {"repeat": "leading_blocks", "rows": rows, "links": links}


def _sizes(plan: Plan) -> Json:
    feed, turned = plan.feed, plan.feed_turned(plan.feed)
    counted = plan.dense if plan.attention else feed.up
    sizes: Json = {
        "blocks": {"counted": counted.template.replace("{expert}", "0")},
        "hidden": _axis(feed.down, 1 if turned else 0),
        **_feed_sizes(plan, feed, ""),
    }
    if plan.attention:
        sizes["attention"] = _axis(plan.dense, 0 if plan.turned else 1)
    if "fused" in plan.attention and plan.shared:
        sizes["fused_rows"] = _axis(plan.attention["fused"], 1 if plan.turned else 0)
        sizes["kv_width"] = {"otherwise": "(fused_rows - attention) // 2"}
    elif plan.attention and plan.shared:
        sizes["kv_width"] = _axis(plan.attention["key"], 1 if plan.turned else 0)
    if plan.heads is not None:
        sizes |= plan.heads.sizes
    if plan.attention and plan.shared:
        sizes["kv_heads"] = {"otherwise": "kv_width * heads // attention"}
    if plan.leading is not None:
        sizes["leading_blocks"] = {"counted": plan.leading.up.template}
        sizes |= _feed_sizes(plan, plan.leading, "leading_")
    return sizes


def _feed_sizes(plan: Plan, feed: FeedForward, before: str) -> Json:
    wide = _axis(feed.down, 0 if plan.feed_turned(feed) else 1)
    return {f"{before}feed_forward": wide, **_experts(feed.up, before)}


def _experts(one: Repeated, before: str) -> Json:
    if one.experts == 1:
        return {}
    numbered = one.template.replace("{block}", str(one.first)).replace("{expert}", "{block}")
    return {f"{before}experts": {"axis": [one.one(one.first), 0]} if one.together else {"counted": numbered}}


def _axis(one: Repeated, place: int) -> Json:
    return {"axis": [one.one(one.first), place + one.together]}


def _block(plan: Plan, feed: FeedForward, before: str) -> tuple[list[Json], list[Json]]:
    """Return the rows and links of a block."""
    attention = _attention(plan) if plan.attention else ([], [])
    rows, links = _feed(plan, feed, before)
    start = {"row": "input", "kinds": ["input"], "size": "hidden", "draw": "n1"}
    return [start, *attention[0], *rows], [*attention[1], *links]


def _attention(plan: Plan) -> tuple[list[Json], list[Json]]:
    rows = [
        {"row": "qkv", "kinds": ["query", "key", "value"], "size": "attention", "draw": "t"},
        {"row": "attention", "kinds": ["attention"], "size": "attention", "draw": "t"},
        {"row": "dense", "kinds": ["dense"], "size": "hidden", "draw": "n4"},
    ]
    dense = _matrix(plan.dense, turned=plan.turned)
    return rows, [{"matrices": [*_qkv(plan)]}, {"wiring": "attention"}, {"matrices": [dense]}]


def _qkv(plan: Plan) -> Iterator[Json]:
    own, turned = plan.attention, plan.turned
    heads = {"heads": "heads", "shared_heads": "kv_heads"}
    if "fused" not in own:
        yield _matrix(own["query"], turned=turned)
        for kind in ("key", "value"):
            yield _matrix(own[kind], turned=turned, **(heads if plan.shared else {}))
    elif not plan.shared:
        fused = {"fused": "per_head_qkv", "heads": "heads"} if plan.per_head else {"fused": "qkv"}
        yield _matrix(own["fused"], turned=turned, **fused)
    else:
        rows = {"of": "fused_rows"}
        yield _matrix(own["fused"], turned=turned, heads="heads", rows=rows)
        for first in ("attention", "attention + kv_width"):
            yield _matrix(own["fused"], turned=turned, **heads, rows=rows | {"first": first})


def _feed(plan: Plan, feed: FeedForward, before: str) -> tuple[list[Json], list[Json]]:
    turned = plan.feed_turned(feed)
    size = f"{before}feed_forward"
    drawn: Json = {"size": size, "draw": "n5", "times": 2}
    drawn |= {"experts": f"{before}experts"} if feed.up.experts > 1 else {}
    mlp = {"row": "mlp", "kinds": ["mlp"], **drawn}
    down = {"matrices": [_matrix(feed.down, turned=turned)]}
    if not feed.gated:
        return [mlp], [{"matrices": [_matrix(feed.up, turned=turned)]}, down]
    both = {"matrices": [*_gate_and_up(feed, size, turned=turned)]}
    return [{"row": "gated", "kinds": ["gate", "up"], **drawn}, mlp], [both, {"wiring": "own"}, down]


def _gate_and_up(feed: FeedForward, size: str, *, turned: bool) -> Iterator[Json]:
    if feed.gate is not None:
        yield from (_matrix(one, turned=turned) for one in (feed.gate, feed.up))
        return
    for first in ({}, {"first": size}):
        yield _matrix(feed.up, turned=turned, rows={"of": f"2 * {size}"} | first)


def _matrix(one: Repeated, *, turned: bool, **more: Any) -> Json:
    orientation = {"orientation": "in_out"} if turned else {}
    return {"tensor": one.template, **orientation, **more, "init": {"spread": SPREAD}}
