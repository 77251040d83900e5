"""Folders of a checkpoint: which files hold its tensors, and opening them whatever their format."""

import re
from collections.abc import Mapping
from typing import Any

from neuromfa.checkpoints.formats.safetensors_file import read_safetensors
from neuromfa.checkpoints.formats.strict_json import parse_object
from neuromfa.checkpoints.formats.tensor_store import FileTensors, StoredTensor, TensorStore
from neuromfa.checkpoints.formats.torch_file import read_torch_file
from neuromfa.checkpoints.transport.byte_source import ByteSource, read_bytes
from neuromfa.checkpoints.transport.folder import CONFIG, INDEX_FILES, LOOKED_FOR, SINGLE_FILES, Folder
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat

MAX_JSON_BYTES = 100_000_000
SHARD_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.(safetensors|bin)")


def open_tensors(folder: Folder) -> TensorStore:
    """Open the tensors of one checkpoint: single or sharded, safetensors before ``.bin``.

    Raises
    ------
    CheckpointMissing
        No weights in the folder (says what was looked for), or a shard of the index is not there.
    CorruptFile, UnsafeFormat, UnsupportedFormat
        See `read_safetensors` and `read_torch_file`; also an index that contradicts its shards.
    """
    sources: list[ByteSource] = []
    try:
        config = read_json(folder, CONFIG) if folder.has(CONFIG) else {}
        tensors = _placed_tensors(folder, sources)
    except BaseException:
        for source in sources:
            source.close()
        raise
    return FileTensors(name=folder.name, tensors=tensors, sources=sources, config=config)


def _placed_tensors(folder: Folder, sources: list[ByteSource]) -> dict[str, StoredTensor]:
    """Return where all tensors lie; every file opened is added to `sources`."""
    tensors: dict[str, StoredTensor] = {}
    for filename, promised in _weight_files(folder).items():
        source = folder.open(filename)
        sources.append(source)
        found = read_safetensors(source) if filename.endswith(".safetensors") else read_torch_file(source)
        for name in promised - found.keys():
            raise CorruptFile(
                f"{source.name} does not hold tensor {name[:200]}, which the index says it does"
            )
        for name in found.keys() & tensors.keys():
            raise CorruptFile(f"{source.name} holds tensor {name[:200]}, which stands in another shard too")
        tensors |= found
    return tensors


def _weight_files(folder: Folder) -> dict[str, frozenset[str]]:
    """Return the files that hold the tensors, each with the names an index promises."""
    for single, index in zip(SINGLE_FILES, INDEX_FILES, strict=True):
        if folder.has(single):
            return {single: frozenset()}
        if folder.has(index):
            return _shards(folder, index)
    raise CheckpointMissing(f"{folder.name} has no weights; looked for {LOOKED_FOR}")


def _shards(folder: Folder, index: str) -> dict[str, frozenset[str]]:
    where = f"{folder.name}/{index}"
    weight_map = read_json(folder, index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CorruptFile(f"{where} has no weight_map")
    for shard in weight_map.values():
        if not isinstance(shard, str) or not SHARD_NAME.fullmatch(shard):
            raise UnsafeFormat(f"{where} names the shard {str(shard)[:200]!r}; only files beside it are read")
    for shard in sorted(set(weight_map.values())):
        if not folder.has(shard):
            raise CheckpointMissing(f"{folder.name} lacks the shard {shard} that its index names")
    return {
        shard: frozenset(name for name, place in weight_map.items() if place == shard)
        for shard in sorted(set(weight_map.values()))
    }


def read_json(folder: Folder, filename: str) -> Mapping[str, Any]:
    """Return a JSON object of the folder; anything else is a `CorruptFile`."""
    source = folder.open(filename)
    try:
        if source.size > MAX_JSON_BYTES:
            raise CorruptFile(f"{source.name} has {source.size} bytes; at most {MAX_JSON_BYTES} are read")
        return parse_object(read_bytes(source, 0, source.size).tobytes(), where=source.name)
    finally:
        source.close()
