"""Bytes of a file by range: the one way any reader here gets at a file, local or remote."""

import os
import stat
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from neuromfa.checkpoints.dtypes import ByteArray
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat
from neuromfa.network import IntArray

LOCAL_GAP_BYTES = 8192
REMOTE_GAP_BYTES = 1 << 20
GAP_BUDGET = 0.8


@dataclass
class Traffic:
    """What has been read so far: bytes, and calls or requests it took."""

    bytes_read: int = 0
    requests: int = 0

    def add(self, n_bytes: int) -> None:
        """Count one call that brought `n_bytes`."""
        self.bytes_read += n_bytes
        self.requests += 1


class ByteSource(Protocol):
    """A file whose bytes can be had by range.

    Attributes
    ----------
    name : how messages call the file
    size : length of the file in bytes
    """

    name: str
    size: int

    @property
    def traffic(self) -> Traffic:
        """What this source has read."""

    def gap(self, starts: IntArray, length: int) -> int:
        """Return the largest gap in bytes worth reading through between records of `length` at `starts`."""

    def read_into(self, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        """Fill `buffer` with the given ranges, one after the other; a short file is a `CorruptFile`."""

    def close(self) -> None:
        """Give back what the source holds; reading afterwards is an error."""


class LocalFile:
    """A file on this machine, read with `os.preadv`; closed on `close` or when nobody holds it any more.

    Parameters
    ----------
    path : the file itself; a link is refused, so resolve (and judge) it first
    name : how messages call it
    """

    def __init__(self, path: Path, *, name: str | None = None) -> None:
        self.name = name or str(path)
        self.traffic = Traffic()
        try:
            # without O_NONBLOCK a named pipe in place of the file would wait for ever
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise CheckpointMissing(f"{self.name} cannot be opened: {error.strerror}") from error
        self._finalizer = weakref.finalize(self, os.close, self._descriptor)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise UnsafeFormat(f"{self.name} is not a regular file")
        self.size = status.st_size

    def gap(self, starts: IntArray, length: int) -> int:  # noqa: ARG002 - a local call costs the same anywhere
        """Return 8 kB: copying that much takes as long as one more call."""
        return LOCAL_GAP_BYTES

    def read_into(self, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        """Fill `buffer`, one `preadv` a range."""
        view = buffer.data
        position = 0
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            self._fill(start, view[position : position + length])
            position += length
        self.traffic.bytes_read += position
        self.traffic.requests += len(starts)

    def _fill(self, start: int, target: memoryview) -> None:
        done = os.preadv(self._descriptor, [target], start)
        while done < len(target):
            more = os.preadv(self._descriptor, [target[done:]], start + done)
            if more == 0:
                raise CorruptFile(
                    f"{self.name} ends at byte {start + done}; {len(target) - done} more were expected"
                )
            done += more

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        self._finalizer()


def affordable_gap(starts: IntArray, length: int) -> int:
    """Return the largest gap in bytes such that reading through all gaps up to it keeps within a budget.

    A remote request costs as much time as a megabyte or so; but the bytes must stay within twice those asked
    for, so gaps are taken from the smallest on, and four fifths of the budget are spent.

    Parameters
    ----------
    starts : (n,), ascending, where records of `length` bytes start
    """
    gaps = np.sort(np.diff(starts) - length)
    spent = np.cumsum(gaps)
    affordable = int(np.searchsorted(spent, GAP_BUDGET * length * starts.size, side="right"))
    if affordable == gaps.size:
        return min(int(gaps[-1]) if gaps.size else 0, REMOTE_GAP_BYTES)
    within = gaps[gaps < gaps[affordable]]
    return min(int(within[-1]) if within.size else 0, REMOTE_GAP_BYTES)


def read_bytes(source: ByteSource, start: int, length: int) -> ByteArray:
    """Return one range of a source as a uint8 array of shape (length,)."""
    if start < 0 or length < 0 or start + length > source.size:
        raise CorruptFile(f"{source.name} has {source.size} bytes; {length} at {start} were asked for")
    buffer = np.empty(length, np.uint8)
    if length:
        source.read_into(np.array([start]), np.array([length]), buffer)
    return buffer


def read_records(source: ByteSource, base: int, length: int, indices: IntArray) -> tuple[ByteArray, IntArray]:
    """Read records of equal length, one range per run of neighbours; small gaps are read through.

    Parameters
    ----------
    base : byte where record 0 starts
    length : bytes of one record, above 0
    indices : (n,), ascending, without doubles

    Returns
    -------
    Records read, (n_read, length), and the position of each asked record among them, (n,).
    """
    gap = source.gap(base + indices * length, length) // length
    breaks = np.flatnonzero(np.diff(indices) > gap + 1) + 1
    first = indices[np.concatenate(([0], breaks))]
    last = indices[np.concatenate((breaks - 1, [indices.size - 1]))]
    counts = last - first + 1
    buffer = np.empty((int(counts.sum()), length), np.uint8)
    source.read_into(base + first * length, counts * length, buffer.reshape(-1))
    run_starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    run = np.searchsorted(first, indices, side="right") - 1
    return buffer, run_starts[run] + indices - first[run]
