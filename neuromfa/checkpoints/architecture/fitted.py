"""An architecture laid over one checkpoint: its rows, the matrices between them, and how their weights are taken."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neuromfa.checkpoints.architecture.schema import Architecture
from neuromfa.identity import content_hash
from neuromfa.network import BoolArray, IntArray
from neuromfa.results import TensorCoverage


@dataclass(frozen=True)
class FittedRow:
    """A row of the whole model; `draw` names the units it shares with other rows, `times` multiplies S.

    Each of `experts` has `size` units, numbered behind those of the experts before it.
    """

    block: int
    row: str
    kinds: tuple[str, ...]
    size: int
    draw: str
    times: int
    experts: int = 1


@dataclass(frozen=True)
class FittedRows:
    """Where the rows of one part lie in a tensor of `of` rows that several parts share, see `schema.Rows`.

    Attributes
    ----------
    per_head : rows from one head to the next within a group
    group, per_group : heads of a group, and rows from one group to the next
    """

    of: int
    first: int
    step: int
    per_head: int
    group: int
    per_group: int

    def place(self, neurons: IntArray, *, head_size: int) -> IntArray:
        """Return the tensor's row of every neuron of the part."""
        head, within = np.divmod(neurons, head_size)
        group, inside = np.divmod(head, self.group)
        rows: IntArray = self.first + within * self.step + inside * self.per_head + group * self.per_group
        return rows


@dataclass(frozen=True)
class FittedMatrix:
    """A tensor that holds `parts` kinds of a target row of `target` units, fed by `source` units.

    Attributes
    ----------
    heads, shared_heads : attention heads of the target row; how many of them the tensor has (grouped-query)
    rows : where its rows lie in a tensor that it shares with other matrices, None where it has the tensor alone
    experts : how many experts have such a tensor each; {expert} in its name is the number of one
    place : first of its parts in the target row
    kernel : numbers between two channels of a convolution, None for a plain matrix
    init : distribution and spread of the initial weights
    """

    tensor: str
    parts: int
    target: int
    source: int
    in_out: bool
    fused: str
    heads: int
    shared_heads: int
    place: int
    kernel: int | None
    init: tuple[str, float]
    rows: FittedRows | None = None
    experts: int = 1

    def tensor_of(self, expert: int) -> str:
        """Return the name of one expert's tensor, with its place in brackets where the experts share a tensor."""
        return self.tensor.replace("{expert}", str(expert))

    @property
    def tensors(self) -> tuple[str, ...]:
        """Names of the tensors it is read from, those of all experts."""
        return tuple(dict.fromkeys(placed(self.tensor_of(expert))[0] for expert in range(self.experts)))

    @property
    def label(self) -> str:
        """Name for reports: that of the tensor, with * for the number of an expert."""
        return self.tensor.replace("{expert}", "*")

    @property
    def head_size(self) -> int:
        """Units of one head."""
        return self.target // self.heads

    @property
    def grouped(self) -> bool:
        """True where several heads of the target row share rows of the tensor."""
        return self.shared_heads < self.heads

    @property
    def n_targets(self) -> int:
        """Target rows of its parts."""
        return self.parts * self.head_size * self.shared_heads

    @property
    def shape(self) -> tuple[int, int]:
        """Axes 0 and 1 the tensor must have."""
        targets = self.rows.of if self.rows else self.n_targets
        return (self.source, targets) if self.in_out else (targets, self.source)

    def target_rows(self, units: IntArray, *, row_rule: str) -> IntArray:
        """Return the tensor's target indices of the drawn units, part by part.

        Parameters
        ----------
        units : (n_units,), drawn units of the target row
        row_rule : ``paper`` takes t, t + d, t + 2d of any fused tensor; ``exact`` follows the heads' layout

        Returns
        -------
        int64 array of shape (parts * n_units,); a row that several units share stands once, where the first of
        them stands, so there are fewer then
        """
        if self.rows is not None:
            return self.rows.place(self.neurons(units), head_size=self.head_size)
        if self.grouped:
            return self.neurons(units)
        if self.fused == "per_head_qkv" and row_rule == "exact":
            head, within = units // self.head_size, units % self.head_size
            first, stride = head * self.parts * self.head_size + within, self.head_size
        else:
            first, stride = units, self.target
        return np.concatenate([first + part * stride for part in range(self.parts)]).astype(np.int64)

    def parts_of(self, rows: IntArray) -> IntArray:
        """Return which part of a tensor fused head by head each target index belongs to, counted from 0."""
        return rows // self.head_size % self.parts

    def neurons(self, units: IntArray) -> IntArray:
        """Return the indices of one part's neurons: the drawn units, or the rows of the part that they share."""
        if not self.grouped:
            return units
        return _each_once(self._shared_head(units) * self.head_size + units % self.head_size)

    def used_by(self, units: IntArray) -> BoolArray:
        """Return which of the drawn units use which neuron of a part when attention mixes positions.

        Shared rows work for the heads that share them (ours), and rows of their own for all units (paper).

        Returns
        -------
        bool array of shape (n_units, n_neurons)
        """
        neurons = self.neurons(units)
        if not self.grouped:
            return np.ones((units.size, neurons.size), np.bool_)
        return np.equal.outer(self._shared_head(units), neurons // self.head_size)

    def _shared_head(self, units: IntArray) -> IntArray:
        """Return the head of the tensor that each unit's head shares."""
        return units // self.head_size // (self.heads // self.shared_heads)


def _each_once(rows: IntArray) -> IntArray:
    """Return the rows without repetition, in the order in which they first stand."""
    _, first = np.unique(rows, return_index=True)
    return rows[np.sort(first)]


@dataclass(frozen=True)
class FittedLink:
    """What joins two rows: matrices stacked along the target row, or wiring."""

    name: str
    matrices: tuple[FittedMatrix, ...]
    wiring: str | None

    @cached_property
    def fused(self) -> bool:
        """True when the parts of the target row lie in one tensor."""
        return any(matrix.fused != "none" for matrix in self.matrices)

    @cached_property
    def by_kind(self) -> tuple[FittedMatrix, ...]:
        """The matrix of every kind of the target row; none for wiring."""
        return tuple(matrix for matrix in self.matrices for _ in range(matrix.parts))


@dataclass(frozen=True)
class Fit:
    """An architecture laid over a checkpoint: `links[k]` joins `rows[k]` to `rows[k + 1]`.

    Attributes
    ----------
    prefix : what stands before every tensor name of the architecture file
    dtype : number formats of the tensors used
    """

    architecture: Architecture
    prefix: str
    rows: tuple[FittedRow, ...]
    links: tuple[FittedLink, ...]
    coverage: TensorCoverage
    dtype: str

    @property
    def link_names(self) -> tuple[str, ...]:
        """Name of every link: its tensors without their prefix, or its wiring."""
        return tuple(
            joined(matrix.label.removeprefix(self.prefix) for matrix in link.matrices) or link.name
            for link in self.links
        )

    @cached_property
    def reading_hash(self) -> str:
        """Identity of how the weights are taken: rows, links, tensors, orientation, heads.

        What a file or its format may say beyond that (a prefix, a key that is not used here) does not enter.
        """
        return content_hash(
            {
                "rows": [_row_reading(row) for row in self.rows],
                "links": [_reading_of(link, self.prefix) for link in self.links],
            }
        )


def joined(tensors: Iterable[str]) -> str:
    """Return the names of the tensors of a link, one that several parts share once."""
    return " + ".join(dict.fromkeys(tensors))


def _row_reading(row: FittedRow) -> list[Any]:
    plain = [row.block, row.row, row.kinds, row.size, row.draw, row.times]
    return [*plain, row.experts] if row.experts > 1 else plain


def placed(tensor: str) -> tuple[str, int | None]:
    """Return the name of a tensor, and the place on its first axis that stands in brackets behind it."""
    name, bracket, place = tensor.removesuffix("]").partition("[")
    return (name, int(place)) if bracket else (tensor, None)


def _reading_of(link: FittedLink, prefix: str) -> dict[str, Any]:
    if link.wiring is not None:
        return {"wiring": link.wiring}
    return {"matrices": [_matrix_reading(matrix, prefix) for matrix in link.matrices]}


def _matrix_reading(matrix: FittedMatrix, prefix: str) -> dict[str, Any]:
    """Return what says how a tensor is taken; what a plain matrix lacks is left out, so that new keys move nothing."""
    heads = {"heads": matrix.heads, "kept_heads": matrix.shared_heads}
    special = {
        "in_out": matrix.in_out or None,
        "fused": None if matrix.fused == "none" else [matrix.fused, matrix.parts],
        "kernel": matrix.kernel,
        "experts": matrix.experts if matrix.experts > 1 else None,
        "rows": None if matrix.rows is None else list(astuple(matrix.rows)),
        **(heads if matrix.fused == "per_head_qkv" or matrix.grouped or matrix.rows else {}),
    }
    plain = {"tensor": matrix.tensor.removeprefix(prefix), "target": matrix.target, "source": matrix.source}
    return plain | {key: value for key, value in special.items() if value is not None}
