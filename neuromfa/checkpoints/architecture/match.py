"""An architecture laid over one checkpoint: which rows there are, how large, and which tensor links them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neuromfa.checkpoints.architecture.detect import (
    NAMES_IN_MESSAGES,
    find_architecture,
    matching,
    nearest_family,
)
from neuromfa.checkpoints.architecture.formulas import Number, evaluate
from neuromfa.checkpoints.architecture.schema import (
    Architecture,
    Blocks,
    Init,
    LinkData,
    Matrix,
    Row,
)
from neuromfa.checkpoints.formats.quantisation import scheme_of
from neuromfa.checkpoints.formats.tensor_store import TensorStore
from neuromfa.errors import (
    CheckpointMissing,
    CorruptFile,
    SourceError,
    UnsupportedArchitecture,
    UnsupportedFormat,
)
from neuromfa.identity import content_hash
from neuromfa.network import BoolArray, IntArray
from neuromfa.results import SkippedTensor, TensorCoverage

FLOATS = ("float", "bfloat")
FURTHER_BLOCKS = "num_nextn_predict_layers"


@dataclass(frozen=True)
class FittedRow:
    """A row of the whole model; `draw` names the units it shares with other rows, `times` multiplies S."""

    block: int
    row: str
    kinds: tuple[str, ...]
    size: int
    draw: str
    times: int


@dataclass(frozen=True)
class FittedMatrix:
    """A tensor that holds `parts` kinds of a target row of `target` units, fed by `source` units.

    Attributes
    ----------
    heads, shared_heads : attention heads of the target row; how many of them the tensor has (grouped-query)
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
        """Target rows the tensor has."""
        return self.parts * self.head_size * self.shared_heads

    @property
    def shape(self) -> tuple[int, int]:
        """Axes 0 and 1 the tensor must have."""
        return (self.source, self.n_targets) if self.in_out else (self.n_targets, self.source)

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
        if self.grouped:
            return _each_once(self._shared_head(units) * self.head_size + units % self.head_size)
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
        """Return the indices of one part's neurons: the drawn units, or the rows of the tensor that they share."""
        return self.target_rows(units, row_rule="exact") if self.grouped else units

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
            " + ".join(matrix.tensor.removeprefix(self.prefix) for matrix in link.matrices) or link.name
            for link in self.links
        )

    @cached_property
    def reading_hash(self) -> str:
        """Identity of how the weights are taken: rows, links, tensors, orientation, heads.

        What a file or its format may say beyond that (a prefix, a key that is not used here) does not enter.
        """
        return content_hash(
            {
                "rows": [[row.block, row.row, row.kinds, row.size, row.draw, row.times] for row in self.rows],
                "links": [_reading_of(link, self.prefix) for link in self.links],
            }
        )


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
        **(heads if matrix.fused == "per_head_qkv" or matrix.grouped else {}),
    }
    plain = {"tensor": matrix.tensor.removeprefix(prefix), "target": matrix.target, "source": matrix.source}
    return plain | {key: value for key, value in special.items() if value is not None}


def fit(tensors: TensorStore, config: Mapping[str, Any], *, architecture: Path | None = None) -> Fit:
    """Find the architecture of a checkpoint and lay it over its tensors; no weight is read.

    Parameters
    ----------
    tensors : the checkpoint
    config : its config.json, empty where there is none
    architecture : file of the user, or name of a bundled one; without it the family is found by config.json's
        model_type and by the tensor names

    Raises
    ------
    UnsupportedArchitecture
        No architecture fits; the message lists tensors seen and the nearest known family.
    CorruptFile
        Tensors are missing or contradict config.json.
    """
    names = tensors.names()
    found, prefix = find_architecture(names, config, given=architecture, where=tensors.name)
    model = _Model(found, prefix, tensors, config)
    rows, links = _lay_blocks(model, found.blocks) if found.blocks is not None else _lay_chain(model)
    used = [matrix.tensor for link in links for matrix in link.matrices]
    notes = [*tensors.notes, *_wrapped(found, prefix)]
    coverage = TensorCoverage(used=used, skipped=_skipped(found, set(names) - set(used)), notes=notes)
    return Fit(found, prefix, rows, links, coverage, _dtypes(tensors, used))


def _wrapped(architecture: Architecture, prefix: str) -> list[str]:
    """Return a note where the tensors stand inside another module than the architecture file says."""
    return [] if prefix in architecture.prefixes else [f"tensors of {architecture.name} found under {prefix}"]


class _Model:
    """Names, shapes and numbers of one checkpoint, as its architecture calls them."""

    def __init__(
        self, architecture: Architecture, prefix: str, tensors: TensorStore, config: Mapping[str, Any]
    ) -> None:
        self.architecture = architecture
        self.prefix = prefix
        self.tensors = tensors
        self.names = tensors.names()
        self._known = set(self.names)
        self.sizes = _sizes(architecture, config, where=tensors.name)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor that must be there."""
        if name not in self._known:
            raise CorruptFile(
                f"{self.tensors.name} has no tensor {name}, which {self.architecture.name} needs"
            )
        info = self.tensors.info(name)
        if not info.dtype.startswith(FLOATS):
            scheme = scheme_of(self.names, self.tensors.config)
            raise UnsupportedFormat(
                f"{name} in {self.tensors.name} is stored as {info.dtype}{f' ({scheme})' if scheme else ''}; "
                "quantised weights are not read, save the model in bfloat16 or float32"
            )
        return info.shape

    def count(self, name: str) -> int:
        """Return a size that counts something."""
        value = self.sizes[name]
        if not isinstance(value, int) or value < 1:
            raise CorruptFile(
                f"config.json of {self.tensors.name} gives {name} = {value}, not a number above 0"
            )
        return value

    def init(self, init: Init, matrix: Mapping[str, Number]) -> tuple[str, float]:
        """Return distribution and spread of the initial weights."""
        return init.distribution, float(evaluate(init.spread, {**self.sizes, **matrix}))


def _sizes(architecture: Architecture, config: Mapping[str, Any], *, where: str) -> dict[str, Number]:
    """Evaluate the sizes of an architecture from a config.json, in the order of the file."""
    sizes: dict[str, Number] = {}
    for name, size in architecture.sizes.items():
        found = next((config[key] for key in size.keys if config.get(key) is not None), None)
        if found is None and size.otherwise is not None:
            found = evaluate(size.otherwise, sizes)
        if size.accept is not None and found not in size.accept:
            wanted = " or ".join(map(str, size.accept))
            raise UnsupportedArchitecture(
                f"{where} has {' / '.join(size.keys)} = {found}; {architecture.name} describes {wanted} only"
            )
        if found is None:
            raise _size_missing(architecture, config, size.keys, where=where)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise CorruptFile(
                f"config.json of {where} gives {' / '.join(size.keys) or name} = {found!r}; "
                f"{architecture.name} needs a number there"
            )
        sizes[name] = found
    return sizes


def _size_missing(
    architecture: Architecture, config: Mapping[str, Any], keys: Iterable[str], *, where: str
) -> SourceError:
    """Return the error for a size that config.json does not tell, with what to do."""
    needed = [size.keys[0] for size in architecture.sizes.values() if size.keys and size.otherwise is None]
    if not config:
        return CheckpointMissing(
            f"{where} has no config.json; {architecture.name} needs {', '.join(needed)}: write them into a config.json "
            "beside the weights"
        )
    nest = next(
        (key for key, part in config.items() if isinstance(part, dict) and set(keys) & set(part)), None
    )
    if nest is not None:
        return CorruptFile(
            f"config.json of {where} keeps {' / '.join(keys)} under {nest}; {architecture.name} needs it at the top: "
            f"copy what stands under {nest} there"
        )
    return CorruptFile(
        f"config.json of {where} does not give {' / '.join(keys)}; {architecture.name} needs a number there"
    )


def _lay_blocks(model: _Model, blocks: Blocks) -> tuple[tuple[FittedRow, ...], tuple[FittedLink, ...]]:
    repeat = model.count(blocks.repeat)
    if repeat > len(model.names):
        raise CorruptFile(
            f"config.json of {model.tensors.name} speaks of {repeat} blocks, "
            f"but there are {len(model.names)} tensors"
        )
    _refuse_more_blocks(model, blocks, repeat)
    rows = [_row(model, row, block=block) for block in range(repeat) for row in blocks.rows]
    rows.append(_row(model, blocks.output, block=repeat))
    data = [(block, link) for block in range(repeat) for link in blocks.links]
    links = [
        _link(model, link, block=block, source=rows[k], target=rows[k + 1])
        for k, (block, link) in enumerate(data)
    ]
    return tuple(rows), tuple(links)


def _refuse_more_blocks(model: _Model, blocks: Blocks, repeat: int) -> None:
    """Refuse weights of more blocks than config.json speaks of, beside those that predict further tokens."""
    further = model.tensors.config.get(FURTHER_BLOCKS)
    block = repeat + (further if isinstance(further, int) else 0)
    matrices = [
        matrix.tensor for link in blocks.links for matrix in link.matrices if "{block}" in matrix.tensor
    ]
    names = [model.prefix + tensor.replace("{block}", str(block)) for tensor in matrices]
    if names and all(name in model.names for name in names):
        raise CorruptFile(
            f"config.json of {model.tensors.name} speaks of {repeat} blocks, but there are weights of more, such as "
            f"{names[0]}; put the config.json of this model beside its weights"
        )


def _row(model: _Model, row: Row, *, block: int) -> FittedRow:
    draw = f"{block}.{row.draw}"
    return FittedRow(block, row.row, tuple(row.kinds), model.count(row.size), draw, row.times)


def _link(model: _Model, link: LinkData, *, block: int, source: FittedRow, target: FittedRow) -> FittedLink:
    if link.wiring is not None:
        return FittedLink(f"wiring {source.row} to {target.row}", (), link.wiring)
    parts = len(target.kinds) // len(link.matrices)
    matrices = tuple(
        _matrix(model, matrix, block=block, parts=parts, place=place, source=source.size, target=target.size)
        for place, matrix in enumerate(link.matrices)
    )
    return FittedLink(" + ".join(matrix.tensor for matrix in matrices), matrices, None)


def _matrix(
    model: _Model, matrix: Matrix, *, block: int, parts: int, place: int, source: int, target: int
) -> FittedMatrix:
    name = model.prefix + matrix.tensor.replace("{block}", str(block))
    heads = model.count(matrix.heads) if matrix.heads else 1
    shared = model.count(matrix.shared_heads) if matrix.shared_heads else heads
    if target % heads or heads % shared:
        raise CorruptFile(
            f"config.json of {model.tensors.name}: {target} units do not divide into {heads} heads, "
            f"{shared} of them kept"
        )
    fitted = FittedMatrix(
        tensor=name,
        parts=parts,
        target=target,
        source=source,
        in_out=matrix.orientation == "in_out",
        fused=matrix.fused,
        heads=heads,
        shared_heads=shared,
        place=place,
        kernel=None,
        init=model.init(matrix.init, {"fan_in": source, "fan_out": target}),
    )
    if model.shape(name) != fitted.shape:
        raise CorruptFile(
            f"{name} in {model.tensors.name} has shape {model.shape(name)}, "
            f"but config.json asks for {fitted.shape}"
        )
    return fitted


def _lay_chain(model: _Model) -> tuple[tuple[FittedRow, ...], tuple[FittedLink, ...]]:
    matrices = _chain_matrices(model)
    sizes = [matrices[0].source, *(matrix.target for matrix in matrices)]
    chain = model.architecture.chain
    assert chain is not None
    first, inner, last = chain.rows
    labels = [first, *[inner] * (len(sizes) - 2), last]
    rows = [
        FittedRow(k, label, (label,), size, f"{k}.n", 1)
        for k, (label, size) in enumerate(zip(labels, sizes, strict=True))
    ]
    return tuple(rows), tuple(FittedLink(matrix.tensor, (matrix,), None) for matrix in matrices)


def _chain_matrices(model: _Model) -> list[FittedMatrix]:
    """Return the tensors of a chain in order, each fitting to the one before."""
    chain = model.architecture.chain
    assert chain is not None
    found: list[FittedMatrix] = []
    for pattern in chain.tensors:
        for name in sorted(matching(model.prefix + pattern, model.names), key=_natural):
            axes = len(model.shape(name))
            if axes < 2:
                continue
            if (axes > 2) != (chain.axes == "kernel"):
                raise _broken_chain(model, f"{name} has {axes} axes, which is no {chain.axes}")
            found.append(_chain_matrix(model, name, chain.init))
    if not found:
        raise _broken_chain(model, f"no tensor has the axes of a {chain.axes}")
    for before, after in zip(found, found[1:], strict=False):
        if before.target != after.source:
            raise _broken_chain(
                model,
                f"{after.tensor} takes {after.source} units, "
                f"but {before.tensor} before it has {before.target}",
            )
    return found


def _chain_matrix(model: _Model, name: str, init: Init) -> FittedMatrix:
    target, source, *rest = model.shape(name)
    fans = {"fan_in": source * prod(rest), "fan_out": target * prod(rest)}
    return FittedMatrix(
        tensor=name,
        parts=1,
        target=target,
        source=source,
        in_out=False,
        fused="none",
        heads=1,
        shared_heads=1,
        place=0,
        kernel=prod(rest) if rest else None,
        init=model.init(init, fans),
    )


def _broken_chain(model: _Model, fault: str) -> UnsupportedArchitecture:
    seen = ", ".join(model.names[:NAMES_IN_MESSAGES])
    return UnsupportedArchitecture(
        f"{model.tensors.name} is not a chain of tensors as {model.architecture.name} describes: {fault}. "
        f"Tensors seen: {seen}. Nearest known family: {nearest_family(model.names)}; "
        "list the tensors in order in an architecture file (docs/architectures.md) and pass --architecture"
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key under which 2 stands before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _skipped(architecture: Architecture, names: Iterable[str]) -> list[SkippedTensor]:
    return [SkippedTensor(name, _reason(architecture, name)) for name in sorted(names)]


def _reason(architecture: Architecture, name: str) -> str:
    for skip in architecture.skip:
        # in a model inside another module the pattern fits what stands after its name
        if any(fnmatchcase(name, each) for pattern in skip.tensors for each in (pattern, f"*.{pattern}")):
            return skip.reason
    return f"not known to {architecture.name}"


def _dtypes(tensors: TensorStore, used: Iterable[str]) -> str:
    """Return the number formats of the tensors used, joined by + where there are several."""
    return "+".join(sorted({tensors.info(name).dtype for name in used}))
