"""The texts below the fields of records, out of their source: a module is parsed once, when one is asked for."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from threading import RLock

Texts = Mapping[str, str]
NONE: Texts = {}
PYDANTIC = "pydantic.main"
"""Where the base of models is, whose texts are not about what a record holds."""

# Python 3.11 fails now and then where two threads parse at once
_PARSING = RLock()


def texts_of(record: type) -> Texts:
    """Return the text below each field of a record by name, those of fields it inherits too; none without source."""
    found: dict[str, str] = {}
    for kind in reversed(record.__mro__):
        if "__annotations__" in vars(kind) and kind.__module__ != PYDANTIC:
            with _PARSING:
                found |= _texts_in(kind.__module__).get(kind.__qualname__, NONE)
    return found


@cache
def _texts_in(module: str) -> Mapping[str, Texts]:
    """Return the texts of all classes of a module by their qualified names."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):
        return {}
    return {name: dict(_texts(body)) for name, body in _classes(tree.body, "")}


def _classes(body: Sequence[ast.stmt], within: str) -> Iterator[tuple[str, Sequence[ast.stmt]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield f"{within}{node.name}", node.body
            yield from _classes(node.body, f"{within}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _classes(node.body, f"{within}{node.name}.<locals>.")


def _texts(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
