"""The reader's port: tensors by name, whole or by sampled rows and columns, whatever file they lie in."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol

import numpy as np

from neuromfa.checkpoints.formats.dtypes import DTYPES, AnyArray, Dtype, decode, dtype_named
from neuromfa.checkpoints.formats.quantisation import quantisation_config, scales_beside, scheme_of
from neuromfa.checkpoints.formats.recipes import Recipe
from neuromfa.checkpoints.transport.byte_source import ByteSource, Unread, read_bytes, read_records
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsupportedFormat
from neuromfa.network import IntArray

EIGHT_BITS = frozenset(name for name, dtype in DTYPES.items() if dtype.itemsize == 1)


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

    @property
    def notes(self) -> Sequence[str]:
        """One sentence for each choice made on the way: which file, which key, what was taken out of names."""

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
    notes : see `TensorStore.notes`
    recipes : how tensors are computed that lie in no file as such, by name
    hidden : names of tensors that only recipes use
    """

    def __init__(
        self,
        *,
        name: str,
        tensors: Mapping[str, StoredTensor],
        sources: Sequence[ByteSource],
        config: Mapping[str, Any],
        notes: Sequence[str] = (),
        recipes: Mapping[str, Recipe] | None = None,
        hidden: Collection[str] = (),
    ) -> None:
        self.name = name
        self.config = config
        self.notes = tuple(notes)
        self._tensors = dict(tensors)
        self._recipes = dict(recipes or {})
        self._names = tuple(sorted((self._tensors.keys() - set(hidden)) | self._recipes.keys()))
        self._sources = tuple(sources)

    def names(self) -> tuple[str, ...]:
        """Return the names of all tensors, sorted."""
        return self._names

    def info(self, name: str) -> TensorInfo:
        """Return dtype and shape of one tensor; `CheckpointMissing` when there is none of that name."""
        recipe = self._recipes.get(name)
        tensor = self._tensor(recipe.base if recipe else name)
        shape = recipe.shape_of(tensor.shape) if recipe else tensor.shape
        return TensorInfo(tensor.dtype, shape)

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
        recipe = self._recipes.get(name)
        if recipe is None or not recipe.scales_applied:
            self._refuse_scaled(recipe.base if recipe else name)
        if recipe is not None:
            _check_indices(f"{name} in {self.name}", self.info(name).shape, rows, columns)
            return recipe.read(self._stored, rows, columns)
        return self._stored(name, rows=rows, columns=columns)

    def _stored(
        self, name: str, *, rows: IntArray | None = None, columns: IntArray | None = None
    ) -> AnyArray:
        """Return numbers as they lie in the file."""
        tensor, dtype = self._readable(name, rows, columns)
        return decode(_read_raw(tensor, dtype, rows, columns), dtype)

    def read_picks(
        self, name: str, picks: Sequence[tuple[IntArray, IntArray]], *, place: int | None = None
    ) -> list[AnyArray]:
        """Return several samples of one tensor in one pass over the file, see `read_picks`."""
        if name in self._recipes:
            return _read_union(self, name, picks, place=place)
        self._refuse_scaled(name)
        rows, columns = (np.concatenate(axis) for axis in zip(*picks, strict=True))
        tensor, dtype = self._readable(name, rows, columns, place=place)
        return [decode(raw, dtype) for raw in _pick_raw(tensor, dtype, picks)]

    def unread(self) -> "FileTensors":
        """Return the same tensors as zeros, of which nothing is read: its counts are what reading would take."""
        sources = {tensor.source: Unread(tensor.source) for tensor in self._tensors.values()}
        other = copy(self)
        other._tensors = {
            name: replace(tensor, source=sources[tensor.source]) for name, tensor in self._tensors.items()
        }
        other._sources = tuple(sources.values())
        return other

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

    def _readable(
        self, name: str, rows: IntArray | None, columns: IntArray | None, *, place: int | None = None
    ) -> tuple[StoredTensor, Dtype]:
        """Return a tensor, or what stands at one place of its first axis, whose numbers can be read there."""
        tensor = self._tensor(name) if place is None else _at(self._tensor(name), place)
        _check_indices(f"{name} in {self.name}", tensor.shape, rows, columns)
        dtype = dtype_named(tensor.dtype, where=f"{name} in {tensor.source.name}")
        if 0 in tensor.shape:
            raise CorruptFile(f"{name} in {tensor.source.name} has shape {tensor.shape}: it holds no numbers")
        return tensor, dtype

    def _refuse_scaled(self, name: str) -> None:
        """Refuse 8-bit numbers that mean something only together with scales, wherever those are."""
        dtype = self._tensor(name).dtype
        if dtype not in EIGHT_BITS:
            return
        shapes = {other: tensor.shape for other, tensor in self._tensors.items()}
        scales = scales_beside(name, shapes)
        if not scales and not (dtype.startswith("float8") and quantisation_config(self.config)):
            return
        told = f"with scales in {scales[0]}" if scales else "and config.json speaks of scales"
        scheme = scheme_of(shapes, self.config)
        raise UnsupportedFormat(
            f"{name} in {self.name} is {dtype} {told}{f' ({scheme})' if scheme else ''}, which are not applied; "
            "convert the checkpoint to bfloat16 first"
        )


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the strides, in elements, of a contiguous tensor."""
    return tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _at(tensor: StoredTensor, place: int) -> StoredTensor:
    """Return the tensor that stands at one place of the first axis of another."""
    itemsize = dtype_named(tensor.dtype, where=tensor.source.name).itemsize
    offset = tensor.offset + place * tensor.strides[0] * itemsize
    return replace(tensor, shape=tensor.shape[1:], strides=tensor.strides[1:], offset=offset)


def read_picks(
    store: TensorStore, name: str, picks: Sequence[tuple[IntArray, IntArray]], *, place: int | None = None
) -> list[AnyArray]:
    """Return several samples of one tensor, reading it once for all.

    Parameters
    ----------
    picks : rows (n_rows,) and columns (n_columns,) of each sample, in any order
    place : of a tensor of matrices the one that is meant, by its place on the first axis

    Returns
    -------
    One array of shape (n_rows, n_columns, ...) for each pick.
    """
    if isinstance(store, FileTensors):
        return store.read_picks(name, picks, place=place)
    return _read_union(store, name, picks, place=place)


def _read_union(
    store: TensorStore, name: str, picks: Sequence[tuple[IntArray, IntArray]], *, place: int | None
) -> list[AnyArray]:
    """Read the rows and columns of all picks at once, and part them; of several matrices the one that is meant."""
    if place is not None:
        (matrix,) = store.read(name, rows=np.array([place]))
        return [_take(matrix, rows, columns) for rows, columns in picks]
    rows, columns = (np.unique(np.concatenate(axis)) for axis in zip(*picks, strict=True))
    return _parted(store.read(name, rows=rows, columns=columns), rows, columns, picks)


def _parted(
    block: AnyArray, rows: IntArray, columns: IntArray, picks: Sequence[tuple[IntArray, IntArray]]
) -> list[AnyArray]:
    """Return the picks from a block that holds the given ascending rows and columns."""
    return [
        block[np.searchsorted(rows, own_rows)[:, None], np.searchsorted(columns, own_columns)]
        for own_rows, own_columns in picks
    ]


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
    if tensor.shape and tensor.strides == row_major(tensor.shape) and rows is not None:
        return _gather(tensor, dtype, [(rows, columns)])[0]
    turned = _turned(tensor)
    if turned and columns is not None:
        return _gather(turned, dtype, [(columns, rows)])[0].T
    return _take(_read_span(tensor, dtype), rows, columns)


def _pick_raw(
    tensor: StoredTensor, dtype: Dtype, picks: Sequence[tuple[IntArray, IntArray]]
) -> list[AnyArray]:
    """Return the bits of all picks, each stretch of the file read once."""
    turned = _turned(tensor)
    if turned:
        turned_picks = [(columns, rows) for rows, columns in picks]
        return [raw.T for raw in _pick_raw(turned, dtype, turned_picks)]
    if len(tensor.shape) == 2 and tensor.strides == row_major(tensor.shape):
        return _gather(tensor, dtype, picks)
    rows, columns = (np.unique(np.concatenate(axis)) for axis in zip(*picks, strict=True))
    return _parted(_read_raw(tensor, dtype, rows, columns), rows, columns, picks)


def _turned(tensor: StoredTensor) -> StoredTensor | None:
    """Return the contiguous tensor of which a matrix is the transpose, None for any other tensor."""
    if len(tensor.shape) != 2 or tensor.strides != (1, tensor.shape[0]) or 1 in tensor.shape:
        return None
    shape = tensor.shape[::-1]
    return StoredTensor(tensor.source, tensor.dtype, shape, row_major(shape), tensor.offset)


def _gather(
    tensor: StoredTensor, dtype: Dtype, picks: Sequence[tuple[IntArray, IntArray | None]]
) -> list[AnyArray]:
    """Read the rows of all picks from a contiguous tensor, batch by batch, and keep the picked numbers."""
    inner = {tensor.shape[1:] if own is None else (own.size, *tensor.shape[2:]) for _, own in picks}
    if len(inner) > 1:
        return [_gather(tensor, dtype, [pick])[0] for pick in picks]
    rows = np.concatenate([own for own, _ in picks])
    sizes = [own.size for own, _ in picks]
    found = np.empty((rows.size, *inner.pop()), dtype.raw)
    if found.size:
        order = np.argsort(rows, kind="stable")
        columns = [own for _, own in picks if own is not None]
        # columns of the k-th row in ascending order: one row of a small table for each pick
        owners = np.repeat(np.arange(len(picks)), sizes)[order]
        ascending = np.empty_like(found)
        _fill(ascending, tensor, rows[order], (np.stack(columns), owners) if columns else None)
        found[order] = ascending
    return np.split(found, np.cumsum(sizes)[:-1])


def _fill(
    found: AnyArray, tensor: StoredTensor, rows: IntArray, columns: tuple[IntArray, IntArray] | None
) -> None:
    """Fill `found` with rows of a contiguous tensor, each row of the file read once.

    Parameters
    ----------
    found : (n_rows, n_columns, ...)
    rows : (n_rows,), ascending, doubles allowed
    columns : a table of columns and, for each row, its line in the table; None takes all columns
    """
    starts = np.concatenate(([0], np.flatnonzero(np.diff(rows)) + 1))
    bounds = np.append(starts, rows.size)
    repeats = np.diff(bounds)
    width = prod(tensor.shape[1:])
    for batch in read_records(tensor.source, tensor.offset, width * found.itemsize, rows[starts]):
        mine = slice(bounds[batch.asked.start], bounds[batch.asked.stop])
        position = np.repeat(batch.positions, repeats[batch.asked])
        records = batch.records.view(found.dtype).reshape(-1, *tensor.shape[1:])
        if columns is None:
            found[mine] = records[position]
            continue
        index = columns[0][columns[1][mine]]
        if records.ndim == 2:
            # one flat index is twice as fast as a row and a column; all are in range, which clip need not check
            index += (position * width)[:, None]
            records.reshape(-1).take(index, out=found[mine], mode="clip")
        else:
            found[mine] = records[position[:, None], index]


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
