"""Result records to JSON text and back, so that every reader gets exactly the record that was written."""

import dataclasses
import json
import types
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from neuromfa.identity import canonical_json

T = TypeVar("T")


def to_text(record: Any) -> str:
    """Return canonical JSON of a dataclass; floats keep every bit."""
    return canonical_json(dataclasses.asdict(record))


def from_text(kind: type[T], text: str) -> T:
    """Return the dataclass `kind` from what `to_text` gave; a field the text lacks takes its default."""
    return _build(kind, json.loads(text))  # type: ignore[no-any-return]


def _build(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        known = [field.name for field in dataclasses.fields(kind) if field.name in value]
        return kind(**{name: _build(hints[name], value[name]) for name in known})  # type: ignore[operator]
    origin, inner = get_origin(kind), get_args(kind)
    if value is None or origin is None:
        return float(value) if kind is float and value is not None else value
    if origin in (Union, types.UnionType):
        return _build(next(option for option in inner if option is not types.NoneType), value)
    if origin is tuple:
        return tuple(_build(inner[0], item) for item in value)
    if origin is list:
        return [_build(inner[0], item) for item in value]
    return {key: _build(inner[1], item) for key, item in value.items()}
