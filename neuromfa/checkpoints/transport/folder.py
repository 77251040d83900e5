"""Places of checkpoints: a folder with files, wherever it lies, and the step its name tells."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from neuromfa.checkpoints.transport.byte_source import ByteSource, LocalFile
from neuromfa.errors import UnsafeFormat

CONFIG = "config.json"
SINGLE_FILES = ("model.safetensors", "pytorch_model.bin")
INDEX_FILES = tuple(f"{filename}.index.json" for filename in SINGLE_FILES)
LOOKED_FOR = ", ".join((SINGLE_FILES[0], INDEX_FILES[0], SINGLE_FILES[1], INDEX_FILES[1]))
STEP_NAME = re.compile(r"(?:step_?|checkpoint-|global_step)(\d{1,15})", re.ASCII)
NAMINGS = "step{n}, step_{n}, checkpoint-{n}, global_step{n}"
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
