"""Tensors that are computed from others as they are read: a base with its low-rank change, numbers with scales."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from neuromfa.checkpoints.formats.dtypes import AnyArray
from neuromfa.network import IntArray


class Part(Protocol):
    """Reads a stored tensor, see `TensorStore.read`."""

    def __call__(
        self, name: str, *, rows: IntArray | None = None, columns: IntArray | None = None
    ) -> AnyArray:
        """Return the tensor, or its rows and columns."""


class Recipe(Protocol):
    """How a tensor is computed."""

    @property
    def base(self) -> str:
        """Name of the stored tensor that has its number format."""

    @property
    def scales_applied(self) -> bool:
        """True where scales beside the base are taken into account."""

    def shape_of(self, base: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the tensor, given that of its base."""

    def read(self, part: Part, rows: IntArray | None, columns: IntArray | None) -> AnyArray:
        """Return numbers of shape (n_rows, n_columns, ...); None takes all."""


@dataclass(frozen=True)
class LowRank:
    """W + scaling * B A, the weight an adapter stands for.

    Attributes
    ----------
    base, first, second : names of W (n_out, n_in), A (rank, n_in) and B (n_out, rank)
    scaling : of the change
    transposed : W lies input first, (n_in, n_out)
    """

    base: str
    first: str
    second: str
    scaling: float
    transposed: bool
    scales_applied: ClassVar[bool] = False

    def shape_of(self, base: tuple[int, ...]) -> tuple[int, ...]:
        """Return the base's."""
        return base

    def read(self, part: Part, rows: IntArray | None, columns: IntArray | None) -> AnyArray:
        """Return the sum; in float64 until the end, so that a sample and the whole tensor agree."""
        outputs, inputs = (columns, rows) if self.transposed else (rows, columns)
        second = part(self.second, rows=outputs).astype(np.float64)
        change = self.scaling * (second @ part(self.first, columns=inputs).astype(np.float64))
        base = part(self.base, rows=rows, columns=columns)
        return (base + (change.T if self.transposed else change)).astype(np.float32)


@dataclass(frozen=True)
class BlockScaled:
    """8-bit numbers times the scale of their block.

    Attributes
    ----------
    base, scales : names of the numbers (n_out, n_in) and of the scales, one for each block
    block : rows and columns of a block
    """

    base: str
    scales: str
    block: tuple[int, int]
    scales_applied: ClassVar[bool] = True

    def shape_of(self, base: tuple[int, ...]) -> tuple[int, ...]:
        """Return the base's."""
        return base

    def read(self, part: Part, rows: IntArray | None, columns: IntArray | None) -> AnyArray:
        """Return the products."""
        numbers, scales = part(self.base, rows=rows, columns=columns), part(self.scales)
        height, width = (
            np.arange(size) if picked is None else picked
            for size, picked in zip(numbers.shape, (rows, columns), strict=True)
        )
        factors = scales[(height // self.block[0])[:, None], width // self.block[1]]
        products: AnyArray = np.multiply(numbers, factors, dtype=np.float32)
        return products


@dataclass(frozen=True)
class Chunk:
    """A part of a tensor: its stored name, where it starts on each axis, its shape."""

    name: str
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Chunked:
    """A tensor put together from chunks that tile its first two axes."""

    chunks: tuple[Chunk, ...]
    shape: tuple[int, ...]
    scales_applied: ClassVar[bool] = False

    @property
    def base(self) -> str:
        """The first chunk."""
        return self.chunks[0].name

    def shape_of(self, base: tuple[int, ...]) -> tuple[int, ...]:  # noqa: ARG002 - a chunk's shape is not the tensor's
        """Return the shape of the whole."""
        return self.shape

    def read(self, part: Part, rows: IntArray | None, columns: IntArray | None) -> AnyArray:
        """Return the numbers, from each chunk those that lie in it."""
        asked = [
            np.arange(size) if picked is None else picked
            for size, picked in zip(self.shape[:2], (rows, columns), strict=False)
        ]
        found: AnyArray | None = None
        for chunk in self.chunks:
            inside = [
                (picked >= begin) & (picked < begin + size)
                for picked, begin, size in zip(asked, chunk.offsets, chunk.sizes, strict=False)
            ]
            if not all(axis.any() for axis in inside):
                continue
            own = [
                picked[axis] - begin
                for picked, axis, begin in zip(asked, inside, chunk.offsets, strict=False)
            ]
            block = part(chunk.name, rows=own[0], columns=own[1] if len(own) > 1 else None)
            if found is None:
                found = np.empty((*(picked.size for picked in asked), *self.shape[2:]), block.dtype)
            found[np.ix_(*inside)] = block
        assert found is not None  # chunks tile the tensor, and what is asked for lies in it
        return found
