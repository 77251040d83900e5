"""Which architecture a checkpoint has: found by config.json's model_type and by the names of its tensors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from neuromfa.checkpoints.architecture.files import list_architectures, load_architecture
from neuromfa.checkpoints.architecture.schema import Architecture
from neuromfa.checkpoints.formats.quantisation import scheme_of
from neuromfa.checkpoints.formats.tensor_names import plain_name
from neuromfa.errors import UnsupportedArchitecture, UnsupportedFormat

NAMES_IN_MESSAGES = 12
FLAT = "flat_param"


def find_architectures(
    names: Sequence[str],
    config: Mapping[str, Any],
    *,
    given: Path | None,
    where: str,
    fitting: Callable[[], Iterable[str]],
) -> list[tuple[Architecture, str]]:
    """Return the architectures whose tensors are there with the prefix of their names, the likeliest first.

    Where config.json names the type of the model or the user the file, there is one.

    Parameters
    ----------
    fitting : gives the families that fit by names and shapes, for the message where none is found
    """
    model_type = config.get("model_type")
    if given is not None:
        candidates = [load_architecture(given)]
    else:
        candidates = _described(config)
        if model_type is None:
            candidates += list_architectures()
    for find in (_prefix, _wrapped_prefix) if given is not None or model_type is not None else (_prefix,):
        held = [(one, prefix) for one in candidates if (prefix := find(one, names)) is not None]
        if held:
            return held if model_type is None and given is None else held[:1]
    flat = next((name for name in names if FLAT in name), None)
    if flat is not None:
        raise UnsupportedFormat(
            f"{where} holds parameters that FSDP flattened ({flat[:200]}), which have lost their shapes; save it again "
            "with StateDictType.FULL_STATE_DICT"
        )
    scheme = scheme_of(names, config)
    if scheme is not None:
        raise UnsupportedFormat(
            f"{where} is quantised ({scheme}) and its weights are not read; take the model it was made from, in "
            "bfloat16 or float32"
        )
    alike = [] if given is not None else [*fitting()] or _with_the_same_names(names)
    raise UnsupportedArchitecture(_not_found(names, model_type, given=given, where=where, alike=alike))


def _described(config: Mapping[str, Any]) -> list[Architecture]:
    """Return the architectures of config.json's model_type, or of that of a model inside which it speaks of."""
    known = [one for one in list_architectures() if _holds(one, config)]
    own = [one for one in known if config.get("model_type") in one.model_types]
    return own or [one for one in known if _inner_types(one, config) & set(one.model_types)]


def _inner_types(architecture: Architecture, config: Mapping[str, Any]) -> set[str]:
    inner = [nest.get("model_type") for nest in _nests(architecture, config)]
    return {name for name in inner if isinstance(name, str)}


def _holds(architecture: Architecture, config: Mapping[str, Any]) -> bool:
    """Return whether config.json has the values that the architecture describes."""
    return all(look_up(architecture, config, [key]) in wanted for key, wanted in architecture.when.items())


def look_up(architecture: Architecture, config: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return the value of the first key that is there, in a nested object before the top; None without any."""
    places = [*_nests(architecture, config), config]
    return next((place[key] for key in keys for place in places if place.get(key) is not None), None)


def _nests(architecture: Architecture, config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = (config.get(name) for name in architecture.nested)
    return [nest for nest in found if isinstance(nest, dict)]


def known_by_names(names: Sequence[str]) -> list[tuple[Architecture, str]]:
    """Return the bundled architectures whose tensor names are there, each with its prefix.

    Those whose file names the prefix stand before those found inside another module.
    """
    known, found = list_architectures(), {}
    for find in (_prefix, _wrapped_prefix):
        for one in known:
            if one.name not in found and (prefix := find(one, names)) is not None:
                found[one.name] = (one, prefix)
    return [*found.values()]


def _prefix(architecture: Architecture, names: Sequence[str]) -> str | None:
    """Return the first prefix under which all tensors of block 0 (or one for each pattern) are there."""
    for prefix in dict.fromkeys([*architecture.prefixes, *map(plain_name, architecture.prefixes)]):
        if all(matching(prefix + first, names) for first in architecture.first_tensors):
            return prefix if _goes_on(architecture, prefix, names) else None
    return None


def _goes_on(architecture: Architecture, prefix: str, names: Sequence[str]) -> bool:
    """Return whether the blocks behind leading ones are there too, one at least."""
    return all(matching(prefix + later, names) for later in architecture.later_tensors)


def _wrapped_prefix(architecture: Architecture, names: Sequence[str]) -> str | None:
    """Return the prefix of a model that stands inside one other module, as a training framework keeps it.

    Nothing is guessed: two such modules, as a model of two towers has, give None.
    """
    if architecture.blocks is None:
        return None
    known, firsts = set(names), architecture.first_tensors
    outer = {
        name.removesuffix(firsts[0])
        for name in names
        if name.endswith(f".{firsts[0]}")
        and all(name.removesuffix(firsts[0]) + first in known for first in firsts)
    }
    outer = {prefix for prefix in outer if _goes_on(architecture, prefix, names)}
    return outer.pop() if len(outer) == 1 else None


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that are, or fit, a pattern."""
    return [name for name in names if name == pattern or fnmatchcase(name, pattern)]


def _with_the_same_names(names: Sequence[str]) -> list[str]:
    return [known.name for known, _ in known_by_names(names) if known.blocks]


def _not_found(
    names: Sequence[str], model_type: object, *, given: Path | None, where: str, alike: Sequence[str]
) -> str:
    described = f"the architecture file {given}" if given else "any known architecture"
    seen = ", ".join(names[:NAMES_IN_MESSAGES]) or "none"
    more = f" and {len(names) - NAMES_IN_MESSAGES} more" if len(names) > NAMES_IN_MESSAGES else ""
    return (
        f"{where} (model_type {model_type}) does not hold the tensors of {described}. "
        f"Tensors seen: {seen}{more}. Nearest known family: {alike[0] if alike else nearest_family(names)}"
        f"{_advice(given=given, alike=alike)}"
    )


def _advice(*, given: Path | None, alike: Sequence[str]) -> str:
    """Return what to do; another model_type with a known family's tensors may be read as that family."""
    if given is not None:
        return ""
    if alike:
        return f", which has the same tensor names: pass --architecture {alike[0]} to read it as that"
    return "; describe it in an architecture file (docs/architectures.md) and pass --architecture"


def nearest_family(names: Sequence[str]) -> str:
    """Return the name of the bundled architecture whose tensor names share the most words with these."""
    words = _words(names)

    def likeness(architecture: Architecture) -> float:
        own = _words(
            [prefix + first for prefix in architecture.prefixes for first in architecture.first_tensors]
        )
        return len(own & words) / max(1, len(own | words))

    known = list_architectures()
    nearest = max(known, key=likeness)
    # Without a word in common the most general one, which comes last, is the answer.
    return nearest.name if likeness(nearest) else known[-1].name


def _words(names: Iterable[str]) -> set[str]:
    """Return the dotted parts of tensor names, numbers and patterns left out."""
    parts = {part for name in names for part in name.split(".")}
    return {part for part in parts if not part.isdecimal() and "*" not in part and part != "weight"}
