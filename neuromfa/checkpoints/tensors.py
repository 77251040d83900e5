"""The reader's port: tensors by name, whole or by sampled rows and columns, whatever file they lie in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np

from neuromfa.checkpoints.dtypes import AnyArray, Dtype, decode, dtype_named
from neuromfa.checkpoints.ranges import ByteSource, read_bytes, read_records
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsupportedFormat
from neuromfa.network import IntArray

SCALE_SUFFIXES = ("_scale", "_scale_inv")


@dataclass(frozen=True)
class TensorInfo:
    """What is known of a tensor without reading it; `dtype` is torch's name, such as ``bfloat16``."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """Where a tensor lies.

    Attributes
    ----------
    source : file it lies in
    dtype : torch's name of its number format
    shape, strides : in elements; strides are those of row-major order unless a ``.bin`` says otherwise
    offset : byte of its first element in the file
    """

    source: ByteSource
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int


class TensorStore(Protocol):
    """Tensors of one checkpoint.

    Attributes
    ----------
    name : how messages call the checkpoint
    config : the model's config.json, empty where there is none
    """

    name: str
    config: Mapping[str, Any]

    def names(self) -> tuple[str, ...]:
        """Return the names of all tensors, sorted."""

    def info(self, name: str) -> TensorInfo:
        """Return dtype and shape of one tensor."""

    def read(self, name: str, *, rows: IntArray | None = None, columns: IntArray | None = None) -> AnyArray:
        """Return a tensor, or its sampled rows (axis 0) and columns (axis 1), in the order asked for."""

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, headers included."""

    @property
    def requests(self) -> int:
        """Calls or requests it took."""

    def close(self) -> None:
        """Close the files."""


class FileTensors:
    """Tensors that lie in one or several files; a `TensorStore`.

    Parameters
    ----------
    name : how messages call the checkpoint
    tensors : where each tensor lies
    sources : every file that is open, for the counts and for closing
    config : the model's config.json
    """

    def __init__(
        self,
        *,
        name: str,
        tensors: Mapping[str, StoredTensor],
        sources: Sequence[ByteSource],
        config: Mapping[str, Any],
    ) -> None:
        self.name = name
        self.config = config
        self._tensors = dict(tensors)
        self._sources = tuple(sources)

    def names(self) -> tuple[str, ...]:
        """Return the names of all tensors, sorted."""
        return tuple(sorted(self._tensors))

    def info(self, name: str) -> TensorInfo:
        """Return dtype and shape of one tensor; `CheckpointMissing` when there is none of that name."""
        tensor = self._tensor(name)
        return TensorInfo(tensor.dtype, tensor.shape)

    def read(self, name: str, *, rows: IntArray | None = None, columns: IntArray | None = None) -> AnyArray:
        """Return a tensor or a sample of it.

        Parameters
        ----------
        rows : (n_rows,), indices on axis 0 in any order, doubles allowed; None takes all
        columns : (n_columns,), indices on axis 1; None takes all

        Returns
        -------
        Array of shape (n_rows, n_columns, ...) in the dtype stored, bfloat16 and float8 as float32.
        Only the rows asked for (or whole memory columns of a transposed tensor) are read from the file.

        Raises
        ------
        CheckpointMissing, UnsupportedFormat, CorruptFile
            No such tensor; a number format that is not read; a tensor without numbers or cut off.
        """
        tensor = self._tensor(name)
        _check_indices(f"{name} in {self.name}", tensor.shape, rows, columns)
        dtype = dtype_named(tensor.dtype, where=f"{name} in {tensor.source.name}")
        self._refuse_scaled(name, dtype)
        if 0 in tensor.shape:
            raise CorruptFile(f"{name} in {tensor.source.name} has shape {tensor.shape}: it holds no numbers")
        return decode(_read_raw(tensor, dtype, rows, columns), dtype)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, headers included."""
        return sum(source.traffic.bytes_read for source in self._sources)

    @property
    def requests(self) -> int:
        """Calls or requests it took."""
        return sum(source.traffic.requests for source in self._sources)

    def close(self) -> None:
        """Close every file."""
        for source in self._sources:
            source.close()

    def _tensor(self, name: str) -> StoredTensor:
        if name not in self._tensors:
            raise CheckpointMissing(f"{self.name} has no tensor {name}")
        return self._tensors[name]

    def _refuse_scaled(self, name: str, dtype: Dtype) -> None:
        """Refuse 8-bit numbers that mean something only together with a tensor of scales."""
        scales = [name + suffix for suffix in SCALE_SUFFIXES if name + suffix in self._tensors]
        if dtype.itemsize == 1 and scales:
            raise UnsupportedFormat(
                f"{name} in {self.name} is {dtype.name} with scales in {scales[0]}, which are not applied; "
                "convert the checkpoint to bfloat16 first"
            )


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides, in elements, of a contiguous tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _check_indices(
    what: str, shape: tuple[int, ...], rows: IntArray | None, columns: IntArray | None
) -> None:
    for axis, indices in enumerate((rows, columns)):
        if indices is None:
            continue
        if axis >= len(shape):
            raise IndexError(f"{what} has shape {shape}: no axis {axis} to sample")
        if indices.size and not 0 <= indices.min() <= indices.max() < shape[axis]:
            raise IndexError(f"{what} has shape {shape}: indices on axis {axis} must lie below {shape[axis]}")


def _read_raw(
    tensor: StoredTensor, dtype: Dtype, rows: IntArray | None, columns: IntArray | None
) -> AnyArray:
    if not tensor.shape:
        return _take(_read_span(tensor, dtype), rows, columns)
    if tensor.strides == row_major(tensor.shape):
        return _read_rows(tensor, dtype, rows, columns)
    if len(tensor.shape) == 2 and tensor.strides == (1, tensor.shape[0]):
        shape = tensor.shape[::-1]
        turned = StoredTensor(tensor.source, tensor.dtype, shape, row_major(shape), tensor.offset)
        return _read_rows(turned, dtype, columns, rows).T
    return _take(_read_span(tensor, dtype), rows, columns)


def _read_rows(
    tensor: StoredTensor, dtype: Dtype, rows: IntArray | None, columns: IntArray | None
) -> AnyArray:
    """Read the asked rows of a contiguous tensor, then pick the columns."""
    if rows is None:
        return _take(_read_span(tensor, dtype), None, columns)
    if rows.size == 0:
        return _take(np.empty((0, *tensor.shape[1:]), dtype.raw), None, columns)
    wanted, back = np.unique(rows, return_inverse=True)
    length = dtype.itemsize * prod(tensor.shape[1:])
    records, positions = read_records(tensor.source, tensor.offset, length, wanted)
    found = records.view(dtype.raw).reshape(len(records), *tensor.shape[1:])
    return _take(found, positions[back], columns)


def _read_span(tensor: StoredTensor, dtype: Dtype) -> AnyArray:
    """Read everything between the first and the last element, and lay shape and strides over it."""
    span = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if prod(tensor.shape) > span:
        raise CorruptFile(
            f"{tensor.source.name}: a tensor of shape {tensor.shape} repeats its {span} numbers"
        )
    flat = read_bytes(tensor.source, tensor.offset, span * dtype.itemsize).view(dtype.raw)
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(flat, tensor.shape, strides, writeable=False)


def _take(array: AnyArray, rows: IntArray | None, columns: IntArray | None) -> AnyArray:
    """Return the rows and columns in one copy; the whole array, contiguous, where neither is given."""
    if rows is not None and columns is not None:
        picked: AnyArray = array[rows[:, None], columns]
        return picked
    if rows is not None:
        return array[rows]
    if columns is not None:
        return array[:, columns]
    return array if array.flags.c_contiguous else array.copy()
