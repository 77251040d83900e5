"""What a server answers as plain JSON: nodes, relationships and paths opened, NaN and infinity as null."""

import base64
import math
from collections.abc import Mapping
from typing import Any

from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point

from neuromfa.errors import QueryRefused

LARGEST_INTEGER = 2**63 - 1
DEEPEST = 20


class Plain:
    """Turns values into what JSON holds.

    Attributes
    ----------
    not_finite : NaN and infinities that became null so far; JSON has no word for them
    """

    def __init__(self) -> None:
        self.not_finite = 0

    def of(self, value: Any) -> Any:
        """Return a value as dictionaries, lists, texts, numbers, booleans and None."""
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float):
            return self._number(value)
        if isinstance(value, Node | Relationship | Path):
            return self._piece(value)
        if isinstance(value, Mapping):
            return {str(name): self.of(one) for name, one in value.items()}
        if type(value) in (list, tuple, set, frozenset):  # points and durations are tuples too
            return [self.of(one) for one in value]
        return self._other(value)

    def _number(self, value: float) -> float | None:
        if math.isfinite(value):
            return value
        self.not_finite += 1
        return None

    def _piece(self, value: Node | Relationship | Path) -> dict[str, Any]:
        """Return a piece of the graph; `id` ties the pieces of one answer together and means nothing later."""
        if isinstance(value, Path):
            nodes, relationships = map(list, (value.nodes, value.relationships))
            return {"kind": "path", "nodes": self.of(nodes), "relationships": self.of(relationships)}
        properties = {"properties": self.of(dict(value.items()))}
        if isinstance(value, Node):
            return {"kind": "node", "id": value.element_id, "labels": sorted(value.labels), **properties}
        ends = [None if end is None else end.element_id for end in (value.start_node, value.end_node)]
        named = {"kind": "relationship", "id": value.element_id, "type": value.type}
        return {**named, "start": ends[0], "end": ends[1], **properties}

    def _other(self, value: Any) -> Any:
        """Return a point, bytes (base64), a time or duration (ISO 8601), or anything else as its text."""
        if isinstance(value, Point):
            return {"kind": "point", "srid": value.srid, "coordinates": self.of(list(value))}
        if isinstance(value, bytes | bytearray):
            return base64.b64encode(value).decode("ascii")
        iso = getattr(value, "iso_format", None) or getattr(value, "isoformat", None)
        return str(iso() if iso else value)


def check_parameters(value: Any, *, name: str = "parameters", depth: int = 0) -> None:
    """Return for values a server can be given; `QueryRefused` names the one that is not."""
    if depth > DEEPEST:
        raise QueryRefused(f"{name} is nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        for key, one in value.items():
            check_parameters(key, name=f"a name in {name}", depth=depth)
            check_parameters(one, name=f"{name}.{key}"[:100], depth=depth + 1)
    elif isinstance(value, list):
        for one in value:
            check_parameters(one, name=name, depth=depth + 1)
    elif isinstance(value, int) and not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        raise QueryRefused(f"{name} is an integer beyond 64 bits")
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise QueryRefused(f"{name} is no valid Unicode: half of a surrogate pair stands alone")
