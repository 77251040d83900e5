"""Parts of a file as files of their own: the storages inside a ``.bin``, found when first read."""

import io
from collections.abc import Callable

import numpy as np

from neuromfa.checkpoints.transport.byte_source import ByteArray, ByteSource, Traffic, read_bytes
from neuromfa.network import IntArray

WINDOW_BYTES = 1 << 16


class Member:
    """A run of bytes inside another source; a `ByteSource` that neither owns nor closes it.

    Parameters
    ----------
    parent : the file
    name : how messages call the part
    size : bytes of the part
    locate : returns where the part starts, after checking that it is what it claims; called at the first read
    """

    def __init__(self, parent: ByteSource, *, name: str, size: int, locate: Callable[[], int]) -> None:
        self.name = name
        self.size = size
        self._parent = parent
        self._locate = locate
        self._start: int | None = None

    @property
    def traffic(self) -> Traffic:
        """What the whole file has read."""
        return self._parent.traffic

    @property
    def batch_bytes(self) -> int:
        """What the file says."""
        return self._parent.batch_bytes

    @property
    def start(self) -> int:
        """Where the part starts in the file; checked when it is first asked for."""
        if self._start is None:
            self._start = self._locate()
        return self._start

    def gap(self, starts: IntArray, length: int) -> int:
        """Return what the file says."""
        return self._parent.gap(starts, length)

    def read_into(self, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        """Fill `buffer` from the file."""
        self._parent.read_into(self.start + starts, lengths, buffer)

    def close(self) -> None:
        """Do nothing: the file is closed by who opened it."""


class SourceStream(io.RawIOBase):
    """A source as a seekable stream, for `zipfile`; the last 64 kB are fetched once and kept.

    Parameters
    ----------
    longest : bytes one read may ask for; more is a ValueError
    """

    def __init__(self, source: ByteSource, *, longest: int) -> None:
        self._source = source
        self._longest = longest
        self._position = 0
        self._tail_start = max(0, source.size - WINDOW_BYTES)
        self._tail = read_bytes(source, self._tail_start, source.size - self._tail_start)

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; before the start is a ValueError."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError(f"position {base + offset} is before the start")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Return up to `size` bytes from the position on."""
        left = max(0, self._source.size - self._position)
        length = left if size is None or size < 0 else min(size, left)
        if length > self._longest:
            raise ValueError(f"{length} bytes in one piece; at most {self._longest} are read")
        data = self._bytes(self._position, length)
        self._position += length
        return data.tobytes()

    def _bytes(self, start: int, length: int) -> ByteArray:
        if length == 0:
            return np.empty(0, np.uint8)
        if start >= self._tail_start:
            return self._tail[start - self._tail_start :][:length]
        return read_bytes(self._source, start, length)
