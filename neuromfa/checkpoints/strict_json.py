"""JSON of strangers: parsed once, strictly, with the file and the fault in every refusal."""

import json
from typing import Any

from neuromfa.errors import CorruptFile


def parse_object(text: bytes, *, where: str) -> dict[str, Any]:
    """Return a JSON object; broken text, a name that stands twice, or deep nesting is a `CorruptFile`.

    Parameters
    ----------
    where : file the text is from, for the message
    """
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
