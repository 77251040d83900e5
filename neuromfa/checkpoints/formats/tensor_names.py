"""Names of tensors as the model itself gives them: what wrappers put before or into a name is taken out.

Compiling, data parallelism and sharding wrap a model or its parts in modules whose attribute stands in every name.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

WRAPPERS = (
    "_orig_mod",
    "module",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
    "_ddp_module",
)
WRAPPER = re.compile(rf"(?:(?<=\.)|^)(?:{'|'.join(WRAPPERS)}|base_model\.model)\.")


def plain_name(name: str) -> str:
    """Return a name without the parts wrappers put into it, in any order and place."""
    return WRAPPER.sub("", name)


def with_plain_names(tensors: Mapping[str, Value]) -> tuple[dict[str, Value], str | None]:
    """Return tensors under their plain names, and a note on what was taken out.

    Where two names would become one, all stay as they are, which the note says: then the part tells something.
    """
    plain = {name: plain_name(name) for name in tensors}
    taken = Counter(part for name in tensors for part in WRAPPER.findall(name))
    if not taken:
        return dict(tensors), None
    told = ", ".join(f"{part} ({count})" for part, count in sorted(taken.items()))
    if len(set(plain.values())) < len(plain):
        return dict(tensors), f"left in tensor names, as the same stand there without: {told}"
    return {plain[name]: tensor for name, tensor in tensors.items()}, f"taken out of tensor names: {told}"
