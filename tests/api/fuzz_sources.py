"""Hooks of schemathesis: ids, sources and settings that systems stumble over, in place of what it makes up."""

import os
from typing import Any

import schemathesis

IDS = [
    "ü",
    "模型",
    "a--b",
    "x" * 200,
    "e\u0301",
    "\U0001f600",
    "a b",
    "%2e%2e",
    ";",
    "nope",
    "\u202e",
    "\u00a0",
]
FOLDER = os.environ["FUZZED_FOLDER"]
SOURCES = [
    *(
        f"{FOLDER}/{name}"
        for name in ("loop", "loop/x", "there", "file", "file/x", "closed", "none", "ü☃", "x" * 300)
    ),
    *("org/none", "none", f"{FOLDER}/step_{{n}}", "http://127.0.0.1:9/x", "/", "//", "..", "~", "a\u0000b"),
]


def picked(words: list[str], value: Any) -> str:
    """Return one of some words, the same for the same value."""
    return words[sum(str(value).encode(errors="replace")) % len(words)]


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    if path_parameters and "model" in path_parameters:
        return {**path_parameters, "model": picked(IDS, path_parameters["model"])}
    return path_parameters


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    if isinstance(body, dict) and "source" in body:
        return {**body, "source": picked(SOURCES, body["source"])}
    return body
