"""The saved queries of ``cypher/explore``: what each is for, its example values, and its text ready to run."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

Value = str | int | float

_EXAMPLE = re.compile(r"\$(\w+) = ('[^']*'|-?\d+(?:\.\d+)?)")
_PARAMETER = re.compile(r"\$(\w+)")
_HEAD = re.compile(r"(Purpose|Parameters|Look for): (.*)")


@dataclass(frozen=True)
class SavedQuery:
    """One query for a person.

    Attributes
    ----------
    name : file without its ending, such as ``strongest_paths``
    purpose, look_for : from its header: what it shows, and what to see in it
    examples : a value for every parameter, which shows something on the bundled series
    text : the query without its header
    """

    name: str
    purpose: str
    look_for: str
    examples: Mapping[str, Value]
    text: str

    @property
    def title(self) -> str:
        """The name as words."""
        return self.name.replace("_", " ").capitalize()

    def filled(self, **values: Value) -> str:
        """Return the text with values in the place of parameters: the examples, or those given.

        The Neo4j Browser has no form for parameters; a value that stands in the query can be seen and edited.

        Raises
        ------
        ValueError
            The query has no parameter of that name.
        """
        unknown = set(values) - set(self.examples)
        if unknown:
            raise ValueError(f"{self.name} has no parameter {', '.join(sorted(unknown))}")
        chosen = {**self.examples, **values}
        return _PARAMETER.sub(lambda found: literal(chosen[found[1]]), self.text)

    @property
    def favourite(self) -> str:
        """The query as the Neo4j Browser keeps it: the first comment is its name there."""
        return f"// {self.title}\n// {self.purpose}\n// Look for: {self.look_for}\n{self.filled()}"


def literal(value: Value) -> str:
    """Return a value as Cypher writes it."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return repr(value)


@cache
def saved_queries() -> Mapping[str, SavedQuery]:
    """Return all saved queries by name."""
    found = sorted(entry.name for entry in (files("neuromfa.cypher") / "explore").iterdir())
    names = [name.removesuffix(".cypher") for name in found if name.endswith(".cypher")]
    return {name: parse(name, explore_file(f"{name}.cypher")) for name in names}


def explore_file(name: str) -> str:
    """Return the content of a file of ``cypher/explore``."""
    return (files("neuromfa.cypher") / "explore" / name).read_text(encoding="utf-8")


def parse(name: str, content: str) -> SavedQuery:
    """Split a file into its header, whose entries may run over several lines, and the query."""
    header: dict[str, str] = {}
    entry = ""
    lines = content.splitlines()
    while lines and lines[0].startswith("//"):
        line = lines.pop(0).removeprefix("//").strip()
        head = _HEAD.match(line)
        entry = head[1] if head else entry
        header[entry] = head[2] if head else f"{header[entry]} {line}"
    return SavedQuery(
        name=name,
        purpose=header["Purpose"],
        look_for=header["Look for"],
        examples={key: ast.literal_eval(value) for key, value in _EXAMPLE.findall(header["Parameters"])},
        text="\n".join(lines).strip(),
    )
