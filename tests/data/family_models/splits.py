"""How the library itself divides what a fused tensor gives, where its attention cannot be listened to."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import torch


def bloom_split(model: torch.nn.Module, block: str, fused: torch.Tensor) -> tuple[torch.Tensor, ...]:
    states = model.get_submodule(f"{block}.self_attention")._reshape(fused)
    return tuple(heads.transpose(1, 2).flatten(2) for heads in states)


def falcon_split(model: torch.nn.Module, block: str, fused: torch.Tensor) -> tuple[torch.Tensor, ...]:
    attention = model.get_submodule(f"{block}.self_attention")
    states = attention._split_heads(fused)
    heads = states[0].shape[2]
    # what heads share is repeated for each of them
    return tuple(one.repeat_interleave(heads // one.shape[2], dim=2).flatten(2) for one in states)


def split_by_products(
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
