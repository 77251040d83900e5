"""Low-rank adapters (LoRA) laid beside the weights they change: each becomes one tensor, merged as it is read."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from neuromfa.checkpoints.formats.quantisation import scheme_of
from neuromfa.checkpoints.formats.recipes import LowRank
from neuromfa.errors import CorruptFile, UnsupportedFormat

ADAPTER_CONFIG = "adapter_config.json"
FACTOR = re.compile(r"(?P<module>.+)\.lora_(?P<kind>A|B)(?:\.(?P<adapter>[^.]+))??(?:\.weight)?")
EMBEDDING = re.compile(r".+\.lora_embedding_[AB](?:\..+)?")
OTHER_KINDS = re.compile(r".+\.(?:lora_|ia3_|hada_|lokr_|b?oft_|vera_|adaption_)\w+(?:\..+)?")
BASE_LAYER = ".base_layer."
LARGEST_SCALE = 1e6
ADAPTER_FILES = ("adapter_model.safetensors", "adapter_model.bin")
OUT_OF_REACH = ("alpha_pattern", "rank_pattern", "use_dora")

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Merged:
    """Adapters found among tensors.

    Attributes
    ----------
    recipes : how each changed weight is computed, by its name in the model
    renamed : names of other tensors inside adapted modules, by their names in the model
    hidden : names of the factors, which are no tensors of the model
    note : what was done
    """

    recipes: dict[str, LowRank]
    renamed: dict[str, str]
    hidden: frozenset[str]
    note: str


def is_adapted(names: Iterable[str]) -> bool:
    """Tell whether some tensors are factors of adapters, or lie in a module that an adapter wraps."""
    return any(BASE_LAYER in name or OTHER_KINDS.fullmatch(name) for name in names)


def merge(shapes: Shapes, config: Mapping[str, Any], *, where: str) -> Merged:
    """Return how the weights that adapters change are computed.

    Parameters
    ----------
    shapes : shape of every tensor
    config : adapter_config.json, empty where there is none
    where : the checkpoint, for messages

    Raises
    ------
    UnsupportedFormat
        An adapter whose base, whose other factor or whose scaling is not known, or of another kind than LoRA.
    """
    _refuse_other_kinds(shapes, where=where)
    factors = _factors(shapes, where=where)
    scaled = {module: _recipe(shapes, module, pair, config, where=where) for module, pair in factors.items()}
    recipes = {f"{module}.weight": recipe for module, recipe in scaled.items()}
    hidden = {name for pair in factors.values() for name in pair.values()}
    hidden |= {recipe.base for recipe in recipes.values()} | {
        name for name in shapes if EMBEDDING.fullmatch(name)
    }
    renamed = {
        name.replace(BASE_LAYER, "."): name for name in shapes if BASE_LAYER in name and name not in hidden
    }
    _refuse_changed(renamed, factors, where=where)
    scalings = sorted({recipe.scaling for recipe in recipes.values()})
    told = (
        f"{len(recipes)} weights are merged with their LoRA factors, scaling {', '.join(map(str, scalings))}"
    )
    return Merged(recipes, renamed, frozenset(hidden), told)


def _refuse_other_kinds(names: Iterable[str], *, where: str) -> None:
    """Refuse what changes weights in another way than by two factors: without it they are not the model's."""
    for name in names:
        if OTHER_KINDS.fullmatch(name) and not FACTOR.fullmatch(name) and not EMBEDDING.fullmatch(name):
            raise UnsupportedFormat(
                f"{where} holds {name[:200]}, a part of an adapter that is no plain LoRA, which is not merged here; "
                "use peft's merge_and_unload() and save the model"
            )


def _factors(shapes: Shapes, *, where: str) -> dict[str, dict[str, str]]:
    """Return the names of A and B of every adapted module."""
    found: dict[str, dict[str, str]] = {}
    adapters = set()
    for name in shapes:
        part = FACTOR.fullmatch(name)
        if part is None:
            continue
        adapters.add(part["adapter"])
        found.setdefault(part["module"], {})[part["kind"]] = name
    if len(adapters) > 1:
        raise UnsupportedFormat(
            f"{where} holds {len(adapters)} adapters ({', '.join(sorted(map(str, adapters)))}); keep one, or merge "
            "them with peft's merge_and_unload()"
        )
    return found


def _recipe(
    shapes: Shapes, module: str, pair: Mapping[str, str], config: Mapping[str, Any], *, where: str
) -> LowRank:
    base = next(
        (name for name in (f"{module}.base_layer.weight", f"{module}.weight") if name in shapes), None
    )
    if base is None or len(pair) < 2:
        lacks = "its base weight" if base is None else "lora_A" if "B" in pair else "lora_B"
        raise UnsupportedFormat(
            f"{where} holds LoRA factors of {module} without {lacks}: an adapter is read only together with the model "
            "it changes; merge it with peft's merge_and_unload()"
        )
    first, second = shapes[pair["A"]], shapes[pair["B"]]
    if len(first) != 2 or len(second) != 2 or first[0] != second[1] or not first[0]:
        raise CorruptFile(f"{where}: the LoRA factors of {module} have shapes {first} and {second}")
    changed = (second[0], first[1])
    transposed = bool(config.get("fan_in_fan_out")) or shapes[base] != changed
    if shapes[base] != (changed[::-1] if transposed else changed):
        scheme = scheme_of(shapes, {})
        if scheme is not None:
            raise UnsupportedFormat(
                f"{where}: {base}, which LoRA factors change, is quantised ({scheme}) and not read; merge the adapter "
                "into the model in bfloat16 and save that"
            )
        raise CorruptFile(f"{where}: {base} has shape {shapes[base]}, but its LoRA factors change {changed}")
    return LowRank(base, pair["A"], pair["B"], _scaling(config, first[0], where=where), transposed)


def _scaling(config: Mapping[str, Any], rank: int, *, where: str) -> float:
    """Return alpha / r (or alpha / sqrt(r) of rank-stabilised LoRA)."""
    alpha = config.get("lora_alpha")
    if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not abs(alpha) < LARGEST_SCALE:
        raise UnsupportedFormat(
            f"{where} holds LoRA factors whose scaling is unknown: there is no {ADAPTER_CONFIG} that gives lora_alpha "
            "as a number; "
            "put it beside the weights, or merge the adapter with peft's merge_and_unload()"
        )
    beyond = [key for key in OUT_OF_REACH if config.get(key)]
    if beyond:
        raise UnsupportedFormat(
            f"{where}: {ADAPTER_CONFIG} sets {beyond[0]}, which is not merged here; use peft's merge_and_unload()"
        )
    return alpha / (sqrt(rank) if config.get("use_rslora") else rank)


def _refuse_changed(renamed: Mapping[str, str], factors: Mapping[str, Any], *, where: str) -> None:
    """Refuse a module whose adapter was left out of the file: its weight is not what the model computes with."""
    for plain, name in renamed.items():
        module = plain.removesuffix(".weight")
        if plain.endswith(".weight") and module not in factors:
            raise UnsupportedFormat(
                f"{where} holds {name} without lora_A and lora_B beside it: an adapter changes it that is not in the "
                "file; save the merged model with peft's merge_and_unload()"
            )
