"""Folders of a checkpoint: which files hold its tensors, and opening them whatever their format."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from neuromfa.checkpoints.ranges import ByteSource, LocalFile, read_bytes
from neuromfa.checkpoints.safetensors_file import read_safetensors
from neuromfa.checkpoints.strict_json import parse_object
from neuromfa.checkpoints.tensors import FileTensors, StoredTensor, TensorStore
from neuromfa.checkpoints.torch_file import read_torch_file
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat

CONFIG = "config.json"
SINGLE_FILES = ("model.safetensors", "pytorch_model.bin")
INDEX_FILES = tuple(f"{filename}.index.json" for filename in SINGLE_FILES)
LOOKED_FOR = ", ".join((SINGLE_FILES[0], INDEX_FILES[0], SINGLE_FILES[1], INDEX_FILES[1]))
STEP_NAME = re.compile(r"(?:step_?|checkpoint-|global_step)(\d{1,15})", re.ASCII)
NAMINGS = "step{n}, step_{n}, checkpoint-{n}, global_step{n}"
MAX_JSON_BYTES = 100_000_000
SHARD_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.(safetensors|bin)")
CACHE_SNAPSHOT = re.compile(r"models--[^/]+/snapshots/[0-9a-f]{40}")


class Folder(Protocol):
    """A place with the files of one checkpoint.

    Attributes
    ----------
    name : how messages call the folder
    """

    name: str

    def has(self, filename: str) -> bool:
        """Tell whether a file of that name stands in the folder."""

    def open(self, filename: str) -> ByteSource:
        """Open a file of the folder."""


@dataclass(frozen=True, eq=False)
class Location:
    """Where one checkpoint is.

    Attributes
    ----------
    step : training step, None where the place is named after none
    revision : name of a folder, or commit
    folder : gives the folder; called when the checkpoint is opened
    """

    step: int | None
    revision: str
    folder: Callable[[], Folder]


def step_of(name: str) -> int | None:
    """Return the step a folder or branch is named after, or None."""
    found = STEP_NAME.fullmatch(name)
    return int(found[1]) if found else None


class LocalFolder:
    """A folder on this machine; a link that leads out of it is not followed.

    Parameters
    ----------
    path : the folder
    root : folder that links may not leave; by default `path`, or the repository of a hub cache's snapshot
    """

    def __init__(self, path: Path, *, root: Path | None = None) -> None:
        self.name = str(path)
        self._path = path
        self._root = root.resolve() if root else _link_root(path.resolve())

    def has(self, filename: str) -> bool:
        """Tell whether the file is there."""
        return (self._path / filename).is_file()

    def open(self, filename: str) -> ByteSource:
        """Open a file; a link that leads out is an `UnsafeFormat`."""
        path = self._path / filename
        target = path.resolve()
        if not target.is_relative_to(self._root):
            raise UnsafeFormat(
                f"{path} is a link that leads out of {self._root} and is not followed; "
                "name the folder it leads to, or copy the file"
            )
        return LocalFile(target, name=str(path))


def _link_root(path: Path) -> Path:
    """Return the folder that links may not leave; a hub snapshot is made of links to blobs beside it."""
    if CACHE_SNAPSHOT.fullmatch("/".join(path.parts[-3:])):
        return path.parent.parent
    return path


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
