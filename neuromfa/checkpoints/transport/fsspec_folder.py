"""A folder behind any address fsspec knows (s3, gs, sftp ...): its files by range, its steps by listing."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import fsspec
import numpy as np

from neuromfa.checkpoints.transport.address import without_secrets
from neuromfa.checkpoints.transport.byte_source import (
    REMOTE_BATCH_BYTES,
    ByteArray,
    ByteSource,
    Traffic,
    affordable_gap,
)
from neuromfa.errors import CheckpointMissing, CorruptFile, OptionError, SourceError
from neuromfa.network import IntArray

RANGES_AT_ONCE = 256
VERSIONS = ("ETag", "etag", "generation", "LastModified", "last_modified", "mtime", "updated", "created")
Answer = TypeVar("Answer")


class FsspecFile:
    """A file of an fsspec filesystem; a `ByteSource`.

    Parameters
    ----------
    filesystem : an fsspec filesystem; one that works asynchronously gets many ranges at once
    path : of the file in it
    name : how messages call the file
    """

    batch_bytes = REMOTE_BATCH_BYTES

    def __init__(self, filesystem: Any, path: str, *, name: str) -> None:
        self.name = name
        self._filesystem = filesystem
        self._path = path
        self._traffic = Traffic()
        self.size = int(_asked(name, lambda: filesystem.info(path)["size"]))
        self._handle = None if filesystem.async_impl else _asked(name, self._open)

    @property
    def traffic(self) -> Traffic:
        """What this file has read."""
        return self._traffic

    def gap(self, starts: IntArray, length: int) -> int:
        """Return the largest gap whose reading keeps the bytes within twice what was asked for."""
        return affordable_gap(starts, length)

    def read_into(self, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        """Fill `buffer`, many ranges at a time where the filesystem can."""
        position = 0
        for first in range(0, starts.size, RANGES_AT_ONCE):
            begin = starts[first : first + RANGES_AT_ONCE].tolist()
            size = lengths[first : first + RANGES_AT_ONCE].tolist()
            for part, expected in zip(self._parts(begin, size), size, strict=True):
                self._traffic.add(len(part))
                if len(part) != expected:
                    raise CorruptFile(f"{self.name} gave {len(part)} bytes where {expected} were asked for")
                buffer[position : position + expected] = np.frombuffer(part, np.uint8)
                position += expected

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            self._handle.close()

    def _open(self) -> Any:
        return self._filesystem.open(self._path, "rb", cache_type="none")

    def _parts(self, starts: list[int], lengths: list[int]) -> list[bytes]:
        if self._handle is None:
            ends = [start + length for start, length in zip(starts, lengths, strict=True)]
            paths = [self._path] * len(starts)
            parts: list[bytes] = _asked(self.name, lambda: self._filesystem.cat_ranges(paths, starts, ends))
            return parts
        return [_asked(self.name, partial(self._part, *at)) for at in zip(starts, lengths, strict=True)]

    def _part(self, start: int, length: int) -> bytes:
        assert self._handle is not None
        self._handle.seek(start)
        part: bytes = self._handle.read(length)
        return part


class FsspecFolder:
    """Files below an address of an fsspec filesystem.

    Parameters
    ----------
    url : such as ``s3://bucket/run/step512``
    """

    def __init__(self, url: str) -> None:
        self.name = without_secrets(url)
        self._url = url.rstrip("/")
        self._filesystem, path = _filesystem(url)
        self._path = path.rstrip("/")

    def has(self, filename: str) -> bool:
        """Tell whether the file is there."""
        return bool(_asked(self.name, lambda: self._filesystem.isfile(f"{self._path}/{filename}")))

    def open(self, filename: str) -> ByteSource:
        """Open a file."""
        return FsspecFile(self._filesystem, f"{self._path}/{filename}", name=f"{self.name}/{filename}")

    def files(self) -> list[str]:
        """Return the names of the files right in it."""
        return self._names("file")

    def folders(self) -> list[str]:
        """Return the names of the folders right in it."""
        return self._names("directory")

    def inside(self, name: str) -> "FsspecFolder":
        """Return a folder right in it."""
        return FsspecFolder(f"{self._url}/{name}")

    def stamp(self, filename: str) -> str | None:
        """Return length and version or time of change, as the filesystem names them."""
        found = _asked(self.name, lambda: self._filesystem.info(f"{self._path}/{filename}"))
        version = next((found[name] for name in VERSIONS if found.get(name)), None)
        return None if version is None else f"{found['size']} {version}"

    def _names(self, kind: str) -> list[str]:
        entries = _asked(self.name, lambda: self._filesystem.ls(self._path, detail=True))
        paths = [entry["name"] for entry in entries if entry["type"] == kind]
        return sorted(path.rstrip("/").rpartition("/")[2] for path in paths)


def _filesystem(url: str) -> tuple[Any, str]:
    if "::" in url:
        # the address behind :: may hold a password of its own
        raise OptionError(
            f"{without_secrets(url.partition('::')[0])} chains filesystems with ::, which is not supported"
        )
    try:
        filesystem, path = fsspec.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{without_secrets(url)} cannot be opened: {error}") from error
    except Exception as error:  # some drivers connect at once, and every driver has errors of its own
        raise SourceError(f"{without_secrets(url)} cannot be opened: {_told(error)}") from error
    return filesystem, path


def _asked(name: str, question: Callable[[], Answer]) -> Answer:
    """Ask a filesystem; whatever its driver raises is told in one sentence: every driver has its own."""
    try:
        return question()
    except FileNotFoundError as error:
        raise CheckpointMissing(f"{name} is not there") from error
    except Exception as error:
        raise SourceError(f"{name} could not be read: {_told(error)}") from error


def _told(error: Exception) -> str:
    """Return the kind of an error and its first line; some drivers list every place they looked at."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
