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
        """Name of the stored tensor that has its shape and number format."""

    @property
    def scales_applied(self) -> bool:
        """True where scales beside the base are taken into account."""

    def read(self, part: Part, rows: IntArray | None, columns: IntArray | None) -> AnyArray:
        """Return float32 numbers of shape (n_rows, n_columns); None takes all."""


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
