"""How many heads attention has, for a first architecture file: config.json tells, or a norm does, or it is assumed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neuromfa.checkpoints.formats.tensor_store import TensorStore

HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads", "nhead")
HEAD_SIZES = ("head_dim", "d_head", "head_size", "kv_channels", "d_kv")
NORMS = ("q_norm", "k_norm", "query_norm", "key_norm", "q_layernorm", "k_layernorm")
USUAL = (128, 64, 256, 96, 80, 32, 16, 8, 4, 2, 1)
FROM_SIZE = "attention // head_size"


@dataclass(frozen=True)
class Heads:
    """Sizes of an architecture file that count the heads.

    Attributes
    ----------
    nested : object of config.json in which they are told, where they are not at its top
    assumed : what to check, None where config.json or a tensor tells
    """

    sizes: dict[str, Any]
    nested: list[str]
    assumed: str | None = None


def heads_of(tensors: TensorStore, *, width: int, shared: int, block: str) -> Heads:
    """Return what tells the heads of a checkpoint.

    Parameters
    ----------
    width, shared : units of attention, and rows of keys
    block : what stands before the names in the first block
    """

    def fits(size: int) -> bool:
        return 0 < size <= shared and shared % size == 0 and width % size == 0

    for nest, key, value in _told(tensors.config, HEADS):
        if width % value == 0 and fits(width // value):
            return Heads({"heads": {"keys": [key]}}, nest)
    for nest, key, value in _told(tensors.config, HEAD_SIZES):
        if fits(value):
            return Heads({"head_size": {"keys": [key]}, "heads": {"otherwise": FROM_SIZE}}, nest)
    for name in tensors.names():
        shape = tensors.info(name).shape
        if (
            name.startswith(block)
            and any(norm in name for norm in NORMS)
            and len(shape) == 1
            and fits(*shape)
        ):
            return Heads({"head_size": {"axis": [name, 0]}, "heads": {"otherwise": FROM_SIZE}}, [])
    size = next(size for size in USUAL if fits(size))
    return Heads(
        {"head_size": {"otherwise": str(size)}, "heads": {"otherwise": FROM_SIZE}},
        [],
        f"a head has {size} units, which config.json does not tell: put the right number at sizes.head_size",
    )


def _told(config: Mapping[str, Any], keys: Sequence[str]) -> Iterator[tuple[list[str], str, int]]:
    """Yield the numbers that config.json gives under some keys, with the object in which each stands."""
    inner = [([name], part) for name, part in config.items() if isinstance(part, dict)]
    for nest, part in [([], config), *inner]:
        for key in keys:
            value = part.get(key)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                yield nest, key, value
