"""Bytes of a file by range: the one way any reader here gets at a file, local or remote."""

import os
import stat
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat
from neuromfa.network import IntArray

ByteArray = npt.NDArray[np.uint8]

# a call costs as much time as copying this many bytes out of the page cache
LOCAL_GAP_BYTES = 1 << 14
# small enough to stay in a processor's cache while the numbers asked for are picked out
LOCAL_BATCH_BYTES = 1 << 21
REMOTE_BATCH_BYTES = 1 << 25
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
    def batch_bytes(self) -> int:
        """How much is best read before it is worked on."""

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

    batch_bytes = LOCAL_BATCH_BYTES

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

    def gap(self, starts: IntArray, length: int) -> int:  # noqa: ARG002 - all calls cost the same
        """Return 16 kB: copying that much takes as long as one more call."""
        return LOCAL_GAP_BYTES

    def read_into(self, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        """Fill `buffer`, one `preadv` a range."""
        view, position = buffer.data, 0
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            target = view[position : position + length]
            if os.preadv(self._descriptor, [target], start) != length:
                self._fill(start, target)
            position += length
        self.traffic.bytes_read += position
        self.traffic.requests += len(starts)

    def _fill(self, start: int, target: memoryview) -> None:
        """Read a range that one call does not bring, as calls end at 2 GB."""
        done = 0
        while done < len(target):
            more = os.preadv(self._descriptor, [target[done:]], start + done)
            if more == 0:
                raise CorruptFile(
                    f"{self.name} ends before byte {start + len(target)}: it was cut off meanwhile"
                )
            done += more

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        self._finalizer()


class Unread:
    """Stands for a source: counts what would be read of it, and gives zeros.

    Parameters
    ----------
    source : the file or part of a file
    """

    def __init__(self, source: ByteSource) -> None:
        self.name, self.size, self.batch_bytes = source.name, source.size, source.batch_bytes
        self.traffic = Traffic()
        self._source = source

    def gap(self, starts: IntArray, length: int) -> int:
        """Return what the source says."""
        return self._source.gap(starts, length)

    def read_into(self, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        """Count, and fill `buffer` with zeros."""
        buffer.fill(0)
        self.traffic.bytes_read += int(lengths.sum())
        self.traffic.requests += len(starts)

    def close(self) -> None:
        """Close the source."""
        self._source.close()


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


@dataclass(frozen=True, eq=False)
class Batch:
    """Some of the records asked for; `records` is overwritten by the next batch.

    Attributes
    ----------
    asked : which of the asked records these are
    records : uint8 array of shape (n_read, length), those between neighbours included
    positions : (n_asked,), place of each asked record in `records`
    """

    asked: slice
    records: ByteArray
    positions: IntArray


def read_records(source: ByteSource, base: int, length: int, indices: IntArray) -> Iterator[Batch]:
    """Read records of equal length in batches, one range a run of neighbours; small gaps are read through.

    Parameters
    ----------
    base : byte where record 0 starts
    length : bytes of one record, above 0
    indices : (n,), ascending, without doubles, n above 0
    """
    capacity = max(1, source.batch_bytes // length)
    gap = source.gap(base + indices * length, length) // length
    runs = _runs(indices, gap=gap, capacity=capacity)
    starts, lengths = base + runs.first * length, runs.counts * length
    scratch = np.empty((min(capacity, int(runs.counts.sum())), length), np.uint8)
    for asked, own in zip(runs.asked, runs.own, strict=True):
        records = scratch[: int(runs.counts[own].sum())]
        source.read_into(starts[own], lengths[own], records.reshape(-1))
        yield Batch(asked, records, runs.positions[asked])


@dataclass(frozen=True, eq=False)
class _Runs:
    """Neighbours that are read in one go, and the batches they fall into.

    Attributes
    ----------
    first, counts : (n_runs,), first record of each run and how many it has
    positions : (n_asked,), place of each asked record among the records of its batch
    asked, own : for each batch, which of the asked records and which of the runs are its own
    """

    first: IntArray
    counts: IntArray
    positions: IntArray
    asked: list[slice]
    own: list[slice]


def _runs(indices: IntArray, *, gap: int, capacity: int) -> _Runs:
    """Part ascending records into runs, and runs into batches of at most `capacity` records."""
    steps = np.diff(indices)
    # records read up to each asked one, counting those in gaps that are read through
    read_before = np.concatenate(([0], np.cumsum(np.where(steps <= gap + 1, steps, 1))))
    batch = read_before // capacity
    heads = np.concatenate(([0], np.flatnonzero((steps > gap + 1) | (np.diff(batch) > 0)) + 1))
    first, last = indices[heads], indices[np.append(heads[1:], indices.size) - 1]
    counts = last - first + 1
    runs_of_batch = _spans(batch[heads])
    begins = np.cumsum(counts) - counts
    begins -= np.repeat(
        [begins[own.start] for own in runs_of_batch], [own.stop - own.start for own in runs_of_batch]
    )
    positions = indices + np.repeat(begins - first, np.diff(np.append(heads, indices.size)))
    return _Runs(first, counts, positions, asked=_spans(batch), own=runs_of_batch)


def _spans(labels: IntArray) -> list[slice]:
    """Return where equal neighbours begin and end."""
    bounds = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), labels.size]
    return [slice(begin, end) for begin, end in pairwise(bounds)]
