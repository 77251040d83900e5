"""Ids of models: one rule for store, jobs, routes and files.

An id may hold slashes; in a route and in the name of a file each is written ``--``. The rule keeps that readable in
one way only, and keeps out what cannot be seen or would lead elsewhere as a path.
"""

import re
from dataclasses import dataclass

from neuromfa.errors import OptionError

LARGEST_BYTES = 200
IN_ROUTES = "--"
FALLBACK = "model"


@dataclass(frozen=True)
class _Rule:
    """What an id may not have in it, and how a text is brought to keep the rule."""

    fault: str
    broken: re.Pattern[str]
    repair: str


_RULES = (
    _Rule("no --, as routes and files write a slash so", re.compile(r"-{2,}"), "-"),
    _Rule("no - beside a /", re.compile(r"-*/-+|-+/"), "/"),
    _Rule("no part . or ..", re.compile(r"(?:^|(?<=/))\.{1,2}(?=/|$)"), "_"),
)


def check_model_id(text: str) -> str:
    """Return an id that keeps the rule.

    Raises
    ------
    OptionError : it does not; the message says why, and offers an id that does
    """
    fault = _fault(text)
    if fault is None:
        return text
    offered = repaired(text)
    raise OptionError(
        f"a model id {fault}, not {text[:LARGEST_BYTES]!r}; choose one with --model-id, such as {offered!r}"
    )


def repaired(text: str) -> str:
    """Return an id that keeps the rule and is as near to a text as can be."""
    seen = "".join(letter if letter.isprintable() else "_" for letter in text)
    before = None
    while before != seen:
        before = seen
        for rule in _RULES:
            seen = rule.broken.sub(rule.repair, seen)
        seen = seen.encode(errors="replace")[:LARGEST_BYTES].decode(errors="ignore")
    return seen or FALLBACK


def in_route(model: str) -> str:
    """Return an id as routes and names of files write it."""
    return model.replace("/", IN_ROUTES)


def from_route(part: str) -> str:
    """Return the id that a part of a route stands for."""
    return part.replace(IN_ROUTES, "/")


def _fault(text: str) -> str | None:
    if not text or not text.isprintable():
        return "is printable text and not empty"
    if len(text.encode(errors="replace")) > LARGEST_BYTES:
        return f"has at most {LARGEST_BYTES} bytes of UTF-8"
    return next((f"has {rule.fault}" for rule in _RULES if rule.broken.search(text)), None)
