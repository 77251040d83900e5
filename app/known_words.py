"""What may stand behind the question mark of an address: the words its route knows, each once unless it is a list.

A word that is passed over answers another question than the one that was asked.
"""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError

from neuromfa.app.nearest import nearest


async def check_words(request: Request) -> None:
    """Refuse a request with a word its route does not know, or with one given twice; each is a fault of its own."""
    if not request.url.query:
        return
    known = dict(_words(request.scope["route"].dependant))
    given = [name for name, _ in request.query_params.multi_items()]
    faults = [
        {"type": "query", "loc": ("query", name), "msg": message}
        for name in dict.fromkeys(given)
        if (message := _fault(name, given.count(name), known)) is not None
    ]
    if faults:
        raise RequestValidationError(faults)


def _fault(name: str, times: int, known: Mapping[str, bool]) -> str | None:
    if name not in known:
        return _unknown(name, list(known))
    if times > 1 and not known[name]:
        return f"is given {times} times, and is taken once"
    return None


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return "is not known: this address takes no parameters"
    return f"is not known; the nearest is {nearest(name, known)} (this address takes {', '.join(known)})"


def _words(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Yield the words of a route by name, and whether each is a list."""
    for field in dependant.query_params:
        yield field.alias, _is_list(field.field_info.annotation)
    for part in dependant.dependencies:
        yield from _words(part)


def _is_list(kind: Any) -> bool:
    if get_origin(kind) in (Union, UnionType, Annotated):
        return any(map(_is_list, get_args(kind)))
    return get_origin(kind) is list
