"""What the feed-forward part of a block computes: a dense one, that of all tokens, or its experts."""

import operator
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import torch
from transformers.models.gpt_oss.modeling_gpt_oss import GptOssExperts

SHARED, IN_MEMORY = "_shared", "_in_memory"
"""Ends of the names of models whose shared experts are read, and that are read as they lie in memory."""


def feed_truth(
    name: str, block: torch.nn.Module, hidden: int, *, experts: str = "mlp.experts"
) -> dict[str, np.ndarray]:
    """Return what the feed-forward part of a block computes: a dense one, that of all tokens, or its experts."""
    if _dense(block):
        return _dense_truth(block.mlp)
    if name.endswith(SHARED):
        own = next(own for own in ("shared_expert", "shared_experts") if hasattr(block.mlp, own))
        return _dense_truth(block.mlp.get_submodule(own))
    return _experts_truth(operator.attrgetter(experts)(block), hidden)


def _dense(block: torch.nn.Module) -> bool:
    """Return whether a block stands before the mixtures."""
    return hasattr(block, "mlp") and not hasattr(block.mlp, "experts")


def _dense_truth(feed: torch.nn.Module) -> dict[str, np.ndarray]:
    modules = {"gate": "gate_proj", "up": "up_proj", "second": "down_proj"}
    return {kind: answers(feed.get_submodule(own)) for kind, own in modules.items()}


def answers(module: torch.nn.Module) -> np.ndarray:
    """Return what a linear module answers to unit vectors, shape (targets, sources)."""
    with torch.no_grad():
        return module(torch.eye(module.in_features)).T.numpy()


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
