"""The query texts of ``cypher/``, loaded by name, with purpose and parameters as their headers declare."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import LiteralString

from neuromfa.errors import StoreError

FOLDERS = ("schema", "write", "read")
KIND_PLACE = "/*:Kind*/"
KINDS = ("input", "query", "key", "value", "qkv", "attention", "dense", "gate", "up", "mlp", "output")

_NAME = re.compile(r"[a-z0-9_]+\Z")


@dataclass(frozen=True)
class CypherText:
    """One query.

    Attributes
    ----------
    name : folder and file without its ending, such as ``read/models``
    purpose : what it is for, from its header
    parameters : names of its parameters, from its header
    text : the query without its header
    """

    name: str
    purpose: str
    parameters: tuple[str, ...]
    text: LiteralString

    def of_kind(self, kind: str) -> LiteralString:
        """Return the text with the extra label of a neuron's kind; a kind we do not know gets none.

        Labels cannot be parameters, so they come from a closed list and never from a caller's text.
        """
        label = f":{kind.capitalize()}" if kind in KINDS else ""
        return self.text.replace(KIND_PLACE, label)


@cache
def query(name: str) -> CypherText:
    """Load one query.

    Parameters
    ----------
    name : such as ``read/models``

    Raises
    ------
    StoreError
        There is no such query.
    """
    folder, _, stem = name.partition("/")
    if folder not in FOLDERS or not _NAME.match(stem):
        raise StoreError(f"there is no query {name!r}")
    place = files("neuromfa.cypher") / folder / f"{stem}.cypher"
    if not place.is_file():
        raise StoreError(f"there is no query {name!r}; known are {', '.join(names(folder))}")
    return parse(name, place.read_text(encoding="utf-8"))


def names(folder: str) -> list[str]:
    """Return the names of all queries of one folder, in order."""
    found = (entry.name for entry in (files("neuromfa.cypher") / folder).iterdir())
    return sorted(f"{folder}/{name.removesuffix('.cypher')}" for name in found if name.endswith(".cypher"))


def parse(name: str, content: str) -> CypherText:
    """Split a file into header and query."""
    lines = content.splitlines()
    header = [line.removeprefix("//").strip() for line in lines if line.startswith("//")]
    body = "\n".join(line for line in lines if not line.startswith("//")).strip()
    declared = dict(line.split(": ", 1) for line in header if re.match(r"(Purpose|Parameters): ", line))
    return CypherText(
        name=name,
        purpose=declared.get("Purpose", ""),
        parameters=tuple(re.findall(r"\$(\w+)", declared.get("Parameters", ""))),
        text=body,  # of our own files, reviewed like code; nobody's input is ever part of them
    )
