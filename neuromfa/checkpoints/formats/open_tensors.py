"""Folders of a checkpoint: opening its tensors whatever their format, under the names the model gives them."""

import re
from collections.abc import Mapping
from typing import Any

from neuromfa.checkpoints.formats.adapters import ADAPTER_CONFIG, ADAPTER_FILES, is_adapted, merge
from neuromfa.checkpoints.formats.distributed import read_distributed
from neuromfa.checkpoints.formats.quantisation import block_scaled
from neuromfa.checkpoints.formats.recipes import Recipe
from neuromfa.checkpoints.formats.safetensors_file import read_safetensors
from neuromfa.checkpoints.formats.stand_ins import refuse_pointer
from neuromfa.checkpoints.formats.strict_json import parse_object
from neuromfa.checkpoints.formats.tensor_names import with_plain_names
from neuromfa.checkpoints.formats.tensor_store import FileTensors, StoredTensor, TensorStore
from neuromfa.checkpoints.formats.torch_file import read_torch_file
from neuromfa.checkpoints.formats.weight_files import (
    MERGE_FSDP,
    WeightFiles,
    candidates,
    fsdp_inside,
    has_usual_weights,
    is_distributed,
    unusual_files,
)
from neuromfa.checkpoints.transport.byte_source import ByteSource, read_bytes
from neuromfa.checkpoints.transport.folder import CONFIG, INDEX_FILES, SINGLE_FILES, Folder
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat, UnsupportedFormat

MAX_JSON_BYTES = 100_000_000
SHARD_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.(safetensors|bin)")


def open_tensors(folder: Folder) -> TensorStore:
    """Open the tensors of one checkpoint: single or sharded, safetensors before ``.bin`` before other files of torch.

    Raises
    ------
    CheckpointMissing
        No weights in the folder (says what lies there), or a shard of the index is not there.
    CorruptFile, UnsafeFormat, UnsupportedFormat
        See `read_safetensors` and `read_torch_file`; also an index that contradicts its shards.
    """
    sources: list[ByteSource] = []
    notes: list[str] = []
    try:
        config = _config(folder)
        if not has_usual_weights(folder):
            if is_distributed(folder.files()):
                return _distributed(folder, sources, config)
            inside = None if candidates(folder.files()) else fsdp_inside(folder)
            if inside is not None:
                return _fsdp(inside, sources, config)
        tensors, renamed = with_plain_names(_placed_tensors(folder, sources, notes))
        notes += [renamed] if renamed else []
        return _computed(folder, tensors, sources, config, notes)
    except BaseException:
        for source in sources:
            source.close()
        raise


def _distributed(
    folder: Folder, sources: list[ByteSource], config: Mapping[str, Any], *notes: str
) -> FileTensors:
    """Return the tensors of a folder that torch.distributed.checkpoint wrote."""
    found = read_distributed(folder, sources)
    if is_adapted([*found.tensors, *found.recipes]):
        raise UnsupportedFormat(
            f"{folder.name} holds an adapter in files of torch.distributed.checkpoint, which is not merged here; "
            "use peft's merge_and_unload() and save the model"
        )
    return FileTensors(
        name=folder.name,
        tensors=found.tensors,
        sources=sources,
        config=config,
        notes=[*found.notes, *notes],
        recipes=found.recipes,
        hidden=found.hidden,
    )


def _fsdp(inside: Folder, sources: list[ByteSource], config: Mapping[str, Any]) -> FileTensors:
    """Return the tensors of the folder that Accelerate's FSDP writes beside what else it keeps."""
    note = f"read from the folder {inside.name.rpartition('/')[2]}"
    try:
        return _distributed(inside, sources, config or _config(inside), note)
    except (CorruptFile, UnsafeFormat, UnsupportedFormat) as error:
        raise type(error)(
            f"{error}; as training state of FSDP it may be read by {MERGE_FSDP}, which makes safetensors of it"
        ) from error


def _config(folder: Folder) -> Mapping[str, Any]:
    return read_json(folder, CONFIG) if folder.has(CONFIG) else {}


def _computed(
    folder: Folder,
    tensors: dict[str, StoredTensor],
    sources: list[ByteSource],
    config: Mapping[str, Any],
    notes: list[str],
) -> FileTensors:
    """Return the tensors of the model: adapters merged, blocks of 8-bit numbers scaled as they are read."""
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    recipes: dict[str, Recipe] = {
        name: recipe
        for name, recipe in block_scaled(shapes, config).items()
        if tensors[name].dtype.startswith("float8")
    }
    notes += [f"{len(recipes)} weights are 8-bit numbers times the scales of their blocks"] if recipes else []
    hidden: frozenset[str] = frozenset()
    if is_adapted(tensors):
        adapter = read_json(folder, ADAPTER_CONFIG) if folder.has(ADAPTER_CONFIG) else {}
        merged = merge(shapes, adapter, where=folder.name)
        recipes |= merged.recipes
        tensors |= {plain: tensors[name] for plain, name in merged.renamed.items()}
        hidden = merged.hidden | frozenset(merged.renamed.values())
        notes.append(merged.note)
    return FileTensors(
        name=folder.name,
        tensors=tensors,
        sources=sources,
        config=config,
        notes=notes,
        recipes=recipes,
        hidden=hidden,
    )


def _placed_tensors(folder: Folder, sources: list[ByteSource], notes: list[str]) -> dict[str, StoredTensor]:
    """Return where all tensors lie; every file opened is added to `sources`, choices made to `notes`."""
    tensors: dict[str, StoredTensor] = {}
    weights = _weight_files(folder)
    notes += [weights.note] if weights.note else []
    adapter = next((filename for filename in ADAPTER_FILES if folder.has(filename)), None)
    if adapter is not None:
        notes.append(f"factors of an adapter read from {adapter}")
    beside = {adapter: frozenset[str]()} if adapter else {}
    for filename, promised in {**weights.promised, **beside}.items():
        source = folder.open(filename)
        sources.append(source)
        found = _read_file(source, filename, notes)
        for name in promised - found.keys():
            raise CorruptFile(
                f"{source.name} does not hold tensor {name[:200]}, which the index says it does"
            )
        for name in found.keys() & tensors.keys():
            raise CorruptFile(f"{source.name} holds tensor {name[:200]}, which stands in another shard too")
        tensors |= found
    return tensors


def _read_file(source: ByteSource, filename: str, notes: list[str]) -> dict[str, StoredTensor]:
    if filename.endswith(".safetensors"):
        return read_safetensors(source)
    return read_torch_file(source, tell=notes.append)


def _weight_files(folder: Folder) -> WeightFiles:
    """Return the files that hold the tensors."""
    for single, index in zip(SINGLE_FILES, INDEX_FILES, strict=True):
        if folder.has(single):
            return WeightFiles({single: frozenset()})
        if folder.has(index):
            return WeightFiles(_shards(folder, index))
    return unusual_files(folder)


def _shards(folder: Folder, index: str) -> dict[str, frozenset[str]]:
    where = f"{folder.name}/{index}"
    weight_map = read_json(folder, index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CorruptFile(f"{where} has no weight_map")
    for shard in weight_map.values():
        if not isinstance(shard, str) or not SHARD_NAME.fullmatch(shard):
            raise UnsafeFormat(f"{where} names the shard {str(shard)[:200]!r}; only files beside it are read")
    shards = sorted(set(weight_map.values()))
    for shard in shards:
        if not folder.has(shard):
            raise CheckpointMissing(
                f"{folder.name} lacks the shard {shard} that its index names; fetch the missing shards"
            )
    return {
        shard: frozenset(name for name, place in weight_map.items() if place == shard) for shard in shards
    }


def read_json(folder: Folder, filename: str) -> Mapping[str, Any]:
    """Return a JSON object of the folder; anything else is a `CorruptFile`."""
    source = folder.open(filename)
    try:
        if source.size > MAX_JSON_BYTES:
            raise CorruptFile(f"{source.name} has {source.size} bytes; at most {MAX_JSON_BYTES} are read")
        text = read_bytes(source, 0, source.size).tobytes()
        refuse_pointer(text, name=source.name)
        return parse_object(text, where=source.name)
    finally:
        source.close()
