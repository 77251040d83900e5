"""Architecture files: the bundled ones, those of users, and what one inherits from another."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from neuromfa.checkpoints.architecture.schema import Architecture
from neuromfa.errors import UnsupportedArchitecture

BUNDLED = files("neuromfa.checkpoints") / "architectures"
LARGEST_FILE = 1 << 20
LONGEST_INHERITANCE = 4


def load_architecture(path: Path) -> Architecture:
    """Read an architecture file of the user; the bare name of a bundled one is accepted too.

    Raises
    ------
    UnsupportedArchitecture
        No such file, not JSON, or not what docs/architecture.schema.json allows; the message says which key.
    """
    if not path.exists() and path.name == str(path) and _is_bundled(path.name):
        return bundled(path.name)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise UnsupportedArchitecture(
                f"the architecture file {path} has {size} bytes; {LARGEST_FILE} are allowed"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnsupportedArchitecture(f"the architecture file {path} cannot be read: {error}") from error
    return parse_architecture(text, where=str(path))


@cache
def list_architectures() -> tuple[Architecture, ...]:
    """Return the bundled architectures: those that others extend first, chains after blocks, the most general last."""
    names = sorted(entry.name[: -len(".json")] for entry in BUNDLED.iterdir() if entry.name.endswith(".json"))
    found = [bundled(name) for name in names if not name.startswith("_")]
    return tuple(sorted(found, key=_generality))


def _generality(architecture: Architecture) -> tuple[bool, int]:
    """Sort key: a chain fits more models than blocks do, and the more so the shorter its patterns are.

    Of files with the same tensor names the one that the others extend stands first: it names their kind.
    """
    chain = architecture.chain
    return (False, _depth(architecture.name)) if chain is None else (True, -sum(map(len, chain.tensors)))


def _depth(name: str) -> int:
    """Return how many bundled files stand beneath one."""
    base = _json_object(_bundled_text(name), where=f"{name}.json").get("extends")
    return 0 if base is None else 1 + _depth(base)


@cache
def bundled(name: str) -> Architecture:
    """Return a bundled architecture by name."""
    return parse_architecture(_bundled_text(name), where=f"{name}.json")


def _is_bundled(name: str) -> bool:
    return name.isidentifier() and (BUNDLED / f"{name}.json").is_file()


def _bundled_text(name: str) -> str:
    if not _is_bundled(name):
        raise UnsupportedArchitecture(f"there is no bundled architecture {name!r} to extend")
    return (BUNDLED / f"{name}.json").read_text(encoding="utf-8")


def parse_architecture(text: str, *, where: str) -> Architecture:
    """Return an architecture file, read and checked.

    Parameters
    ----------
    text, where : JSON, and what to call it in messages

    Raises
    ------
    UnsupportedArchitecture
        Not JSON, or not what docs/architecture.schema.json allows; the message says which key.
    """
    try:
        return Architecture.model_validate(_inherited(_json_object(text, where=where), depth=0))
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"])) or "the file"
        raise UnsupportedArchitecture(
            f"the architecture file {where} is not valid at {key}: {fault['msg']}"
        ) from error


def _json_object(text: str, *, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnsupportedArchitecture(f"the architecture file {where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UnsupportedArchitecture(f"the architecture file {where} is not a JSON object")
    return value


def _inherited(values: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
    """Return the keys over those of the bundled file that ``extends`` names; `skip` lists are joined."""
    own = {key: value for key, value in values.items() if key not in ("extends", "$schema")}
    base_name = values.get("extends")
    if base_name is None:
        return own
    if depth >= LONGEST_INHERITANCE:
        raise UnsupportedArchitecture("architecture files extend each other in a circle")
    text = _bundled_text(str(base_name))
    base = _inherited(_json_object(text, where=f"{base_name}.json"), depth=depth + 1)
    joined = {**base, **own}
    if isinstance(own.get("skip", []), list):
        joined["skip"] = [*own.get("skip", []), *base.get("skip", [])]
    return joined
