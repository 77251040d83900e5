"""Folders of a checkpoint, local or remote: which files stand in one, and the tensors they hold."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from neuromfa.checkpoints.ranges import ByteSource, LocalFile, read_bytes
from neuromfa.checkpoints.safetensors_file import read_safetensors
from neuromfa.checkpoints.tensors import FileTensors, StoredTensor, TensorStore
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat

CONFIG = "config.json"
SINGLE_FILES = ("model.safetensors", "pytorch_model.bin")
INDEX_FILES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
MAX_JSON_BYTES = 100_000_000


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


class LocalFolder:
    """A folder on this machine; files outside it are not opened, whatever a link or an index says."""

    def __init__(self, path: Path, *, root: Path | None = None) -> None:
        self.name = str(path)
        self._path = path
        self._root = (root or path).resolve()

    def has(self, filename: str) -> bool:
        """Tell whether the file is there."""
        return (self._path / filename).is_file()

    def open(self, filename: str) -> ByteSource:
        """Open a file; a link that leads out of the folder is an `UnsafeFormat`."""
        path = self._path / filename
        if not path.resolve().is_relative_to(self._root):
            raise UnsafeFormat(f"{path} is a link that leads out of {self._root}; it is not followed")
        return LocalFile(path)


def open_tensors(folder: Folder) -> TensorStore:
    """Open the tensors of one checkpoint: single or sharded, safetensors before ``.bin``.

    Raises
    ------
    CheckpointMissing
        No weights in the folder (says what was looked for), or a shard of the index is not there.
    CorruptFile, UnsafeFormat, UnsupportedFormat
        See `read_safetensors` and `read_pickle`.
    """
    config = read_json(folder, CONFIG) if folder.has(CONFIG) else {}
    sources: list[ByteSource] = []
    tensors: dict[str, StoredTensor] = {}
    for filename in weight_files(folder):
        source = folder.open(filename)
        sources.append(source)
        tensors |= read_safetensors(source)
    return FileTensors(name=folder.name, tensors=tensors, sources=sources, config=config)


def weight_files(folder: Folder) -> list[str]:
    """Return the names of the files that hold the tensors."""
    for filename in SINGLE_FILES:
        if folder.has(filename):
            return [filename]
    raise CheckpointMissing(
        f"{folder.name} has no weights; looked for {', '.join((*SINGLE_FILES, *INDEX_FILES))}"
    )


def read_json(folder: Folder, filename: str) -> Mapping[str, Any]:
    """Return a JSON object of the folder; anything else is a `CorruptFile`."""
    source = folder.open(filename)
    try:
        if source.size > MAX_JSON_BYTES:
            raise CorruptFile(f"{source.name} has {source.size} bytes; at most {MAX_JSON_BYTES} are read")
        value = json.loads(read_bytes(source, 0, source.size).tobytes())
    except (ValueError, RecursionError) as error:
        raise CorruptFile(f"{source.name} is not valid JSON: {error}") from error
    finally:
        source.close()
    if not isinstance(value, dict):
        raise CorruptFile(f"{source.name} is not a JSON object")
    return value


def local_path(source: str | os.PathLike[str]) -> Path:
    """Return the path of a local source with ``~`` expanded."""
    return Path(source).expanduser()
