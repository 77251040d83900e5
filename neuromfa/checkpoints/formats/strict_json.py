"""JSON of strangers: parsed once, strictly, with the file and the fault in every refusal."""

import json
from typing import Any

from neuromfa.errors import CorruptFile

# 100 MB of empty lists would take 2.7 GB of memory; a header has about ten values a tensor
MAX_ITEMS = 4_000_000


def parse_object(text: bytes, *, where: str) -> dict[str, Any]:
    """Return a JSON object; broken text, doubled names, deep nesting or a flood of values is a `CorruptFile`.

    Parameters
    ----------
    where : file the text is from, for the message
    """
    if sum(map(text.count, (b"[", b"{", b","))) > MAX_ITEMS:
        raise CorruptFile(f"{where} holds more than {MAX_ITEMS} values; no model has that many tensors")
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise CorruptFile(f"{where} is not valid JSON: it is nested too deeply") from error
    except ValueError as error:
        raise CorruptFile(f"{where} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise CorruptFile(f"{where} is not a JSON object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the name {key[:200]!r} stands in it twice")
        found[key] = value
    return found
