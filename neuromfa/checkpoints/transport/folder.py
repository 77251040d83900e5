"""Places of checkpoints: a folder with files, wherever it lies, and what its name tells of the step."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from neuromfa.checkpoints.transport.byte_source import ByteSource, LocalFile
from neuromfa.checkpoints.transport.step_names import StepName
from neuromfa.errors import SourceError, UnsafeFormat
from neuromfa.identity import content_hash

CONFIG = "config.json"
SINGLE_FILES = ("model.safetensors", "pytorch_model.bin")
INDEX_FILES = tuple(f"{filename}.index.json" for filename in SINGLE_FILES)
LOOKED_FOR = ", ".join((SINGLE_FILES[0], INDEX_FILES[0], SINGLE_FILES[1], INDEX_FILES[1]))
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

    def files(self) -> list[str]:
        """Return the names of the files right in it, [] where the place cannot list them."""

    def folders(self) -> list[str]:
        """Return the names of the folders right in it, [] where the place cannot list them."""

    def inside(self, name: str) -> "Folder":
        """Return a folder right in it."""

    def stamp(self, filename: str) -> str | None:
        """Return what tells a file from a later one of its name without reading it, None where nothing does."""


@dataclass(frozen=True, eq=False)
class Location:
    """Where one checkpoint is.

    Attributes
    ----------
    told : what its name tells, None where it is named after no step
    revision : name of a folder or file, or commit
    folder : gives the folder; called when the checkpoint is opened
    """

    told: StepName | None
    revision: str
    folder: Callable[[], Folder]

    @property
    def step(self) -> int | None:
        """Training step, None where the place is named after none."""
        return self.told.step if self.told else None


class OneFile:
    """A folder in which one file of weights counts, and the configuration; for steps that are files.

    Parameters
    ----------
    folder : where the file stands
    filename : the file of weights
    """

    def __init__(self, folder: Folder, filename: str) -> None:
        self.name = f"{folder.name}/{filename}"
        self._folder = folder
        self._filename = filename

    def has(self, filename: str) -> bool:
        """Tell whether the file is there and counts."""
        return filename in (self._filename, CONFIG) and self._folder.has(filename)

    def open(self, filename: str) -> ByteSource:
        """Open a file."""
        return self._folder.open(filename)

    def files(self) -> list[str]:
        """Return the file alone."""
        return [self._filename]

    def folders(self) -> list[str]:
        """Return no folder."""
        return []

    def inside(self, name: str) -> Folder:
        """Return a folder beside the file."""
        return self._folder.inside(name)

    def stamp(self, filename: str) -> str | None:
        """Return the stamp of a file."""
        return self._folder.stamp(filename)


class LocalFolder:
    """A folder on this machine; a link that leads out of it is not followed.

    Parameters
    ----------
    path : the folder
    root : folder that links may not leave; by default `path`, or the repository of a hub cache's snapshot
    follow_links : links lead wherever they lead; for folders that the person who asks owns
    """

    def __init__(self, path: Path, *, root: Path | None = None, follow_links: bool = False) -> None:
        self.name = str(path)
        self._path = path
        self._follow_links = follow_links
        self._root = root.resolve() if root else _link_root(path.resolve())

    def has(self, filename: str) -> bool:
        """Tell whether the file is there."""
        with _looked_into(self._path):
            return (self._path / filename).is_file()

    def open(self, filename: str) -> ByteSource:
        """Open a file; a link that leads out is an `UnsafeFormat`."""
        path = self._path / filename
        target = path.resolve()
        if not self._follow_links and not target.is_relative_to(self._root):
            raise UnsafeFormat(
                f"{path} is a link that leads out of {self._root} and is not followed; "
                "name the folder it leads to, or copy the file"
            )
        return LocalFile(target, name=str(path))

    def files(self) -> list[str]:
        """Return the names of the files right in it."""
        with _looked_into(self._path):
            return sorted(entry.name for entry in self._entries() if entry.is_file())

    def folders(self) -> list[str]:
        """Return the names of the folders right in it, and of links that lead nowhere: who names one is told so."""
        with _looked_into(self._path):
            return sorted(entry.name for entry in self._entries() if entry.is_dir() or leads_nowhere(entry))

    def inside(self, name: str) -> "LocalFolder":
        """Return a folder right in it; its files may not lie outside what holds for this one."""
        return LocalFolder(self._path / name, root=self._root, follow_links=self._follow_links)

    def stamp(self, filename: str) -> str:
        """Return size and time of the last change, in nanoseconds, of what the name leads to."""
        with _looked_into(self._path):
            status = (self._path / filename).stat()
        return f"{status.st_size} {status.st_mtime_ns}"

    def _entries(self) -> list[Path]:
        return list(self._path.iterdir()) if self._path.is_dir() else []


def fingerprint(folder: Folder) -> str | None:
    """Return a hash of the names and stamps of all files in a folder and in the folders right in it.

    Where it stays the same nothing was changed, by all that can be told without reading; None where the place lists
    no files, or one of them has no stamp.
    """
    stamps = _stamps(folder) + [
        [f"{name}/{filename}", stamp]
        for name in folder.folders()
        for filename, stamp in _stamps(folder.inside(name))
    ]
    if not stamps or any(stamp is None for _, stamp in stamps):
        return None
    return content_hash(stamps)


def _stamps(folder: Folder) -> list[list[str | None]]:
    names = folder.files()
    beside = [] if CONFIG in names or not folder.has(CONFIG) else [CONFIG]
    return [[name, folder.stamp(name)] for name in (*names, *beside)]


@contextmanager
def _looked_into(path: Path) -> Iterator[None]:
    """Say in one sentence that a folder cannot be looked into, as where its owner forbids it."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"{path} cannot be looked into: {error.strerror}") from error


def shown(name: str) -> str:
    """Return the name of a file as it may stand in a message: what cannot be printed is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def leads_nowhere(path: Path) -> bool:
    """Tell whether a path is a link whose target is gone, or that leads to itself."""
    return path.is_symlink() and not path.exists()


def _link_root(path: Path) -> Path:
    """Return the folder that links may not leave; a hub snapshot is made of links to blobs beside it."""
    if CACHE_SNAPSHOT.fullmatch("/".join(path.parts[-3:])):
        return path.parent.parent
    return path
