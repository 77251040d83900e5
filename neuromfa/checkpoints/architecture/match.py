"""Laying an architecture over one checkpoint: which rows there are, how large, and which tensor links them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neuromfa.checkpoints.architecture.detect import (
    NAMES_IN_MESSAGES,
    find_architectures,
    known_by_names,
    matching,
    nearest_family,
)
from neuromfa.checkpoints.architecture.fitted import (
    Fit,
    FittedLink,
    FittedMatrix,
    FittedRow,
    FittedRows,
    joined,
    placed,
)
from neuromfa.checkpoints.architecture.model import Model
from neuromfa.checkpoints.architecture.schema import Architecture, Blocks, Init, LinkData, Matrix, Row
from neuromfa.checkpoints.formats.tensor_store import TensorStore
from neuromfa.errors import (
    CorruptFile,
    SourceError,
    UnsupportedArchitecture,
)
from neuromfa.results import SkippedTensor, TensorCoverage

BUFFER = "buffer"
FURTHER_BLOCKS = "num_nextn_predict_layers"


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

    def fitting() -> Iterator[str]:
        laid = fits(known_by_names(names), tensors, config)
        return (one.architecture.name for one in laid if one.architecture.blocks)

    held = find_architectures(names, config, given=architecture, where=tensors.name, fitting=fitting)
    try:
        return _laid(*held[0], tensors, config)
    except SourceError as error:
        other = next(fits(held[1:], tensors, config), None)
        if other is not None:
            return other
        if architecture is None:
            raise type(error)(f"{error}{_advice(tensors, config, tried=held[0][0])}") from error
        raise


def fits(
    held: Iterable[tuple[Architecture, str]], tensors: TensorStore, config: Mapping[str, Any]
) -> Iterator[Fit]:
    """Yield the architectures that fit a checkpoint by names and shapes, laid over it."""
    for found, prefix in held:
        with suppress(SourceError):
            yield _laid(found, prefix, tensors, config)


def fit_as(architecture: Architecture, tensors: TensorStore) -> Fit:
    """Lay one architecture over a checkpoint, without any prefix but its first."""
    return _laid(architecture, architecture.prefixes[0], tensors, tensors.config)


def _advice(tensors: TensorStore, config: Mapping[str, Any], *, tried: Architecture) -> str:
    """Return the flag that reads a refused checkpoint, where another family fits by names and shapes."""
    others = [(one, prefix) for one, prefix in known_by_names(tensors.names()) if one is not tried]
    other = next(fits(others, tensors, config), None)
    if other is None or other.architecture.chain is not None:
        return ""
    return f"; it fits {other.architecture.name}: pass --architecture {other.architecture.name} to read it as that"


def _laid(found: Architecture, prefix: str, tensors: TensorStore, config: Mapping[str, Any]) -> Fit:
    """Return an architecture laid over the tensors of a checkpoint."""
    names = tensors.names()
    model = Model(found, prefix, tensors, config)
    rows, links = _lay_blocks(model, found.blocks) if found.blocks is not None else _lay_chain(model)
    used = list(dict.fromkeys(name for link in links for matrix in link.matrices for name in matrix.tensors))
    notes = [*tensors.notes, *_wrapped(found, prefix), *_mixed(rows)]
    skipped = _skipped(found, set(names) - set(used))
    counted = set(names) - {each.name for each in skipped if BUFFER in each.reason}
    parameters = sum(prod(tensors.info(name).shape) for name in counted)
    coverage = TensorCoverage(used=used, skipped=skipped, notes=notes, parameters=parameters)
    return Fit(found, prefix, rows, links, coverage, _dtypes(tensors, used))


def _wrapped(architecture: Architecture, prefix: str) -> list[str]:
    """Return a note where the tensors stand inside another module than the architecture file says."""
    return [] if prefix in architecture.prefixes else [f"tensors of {architecture.name} found under {prefix}"]


def _mixed(rows: Sequence[FittedRow]) -> list[str]:
    """Return a note where a seed draws experts, in all blocks or in those behind dense ones."""
    experts = max(row.experts for row in rows)
    first = next(row.block for row in rows if row.experts == experts)
    where = f"each block from {first} on" if first else "each block"
    return [f"of {experts} experts in {where}, a seed draws one"] if experts > 1 else []


def _lay_blocks(model: Model, blocks: Blocks) -> tuple[tuple[FittedRow, ...], tuple[FittedLink, ...]]:
    repeat = model.count(blocks.repeat)
    if repeat > len(model.names):
        raise CorruptFile(
            f"config.json of {model.tensors.name} speaks of {repeat} blocks, "
            f"but there are {len(model.names)} tensors"
        )
    _refuse_more_blocks(model, blocks, repeat)
    leading = _leading(model, blocks, repeat)
    plan = [(block, blocks.of(block, leading=leading)) for block in range(repeat)]
    rows = [_row(model, row, block=block) for block, own in plan for row in own.rows]
    rows.append(_row(model, blocks.output, block=repeat))
    data = [(block, link) for block, own in plan for link in own.links]
    links = [
        _link(model, link, block=block, source=rows[k], target=rows[k + 1])
        for k, (block, link) in enumerate(data)
    ]
    return tuple(rows), tuple(links)


def _leading(model: Model, blocks: Blocks, repeat: int) -> int:
    """Return how many of the blocks come first with rows of their own."""
    if blocks.leading is None:
        return 0
    leading = model.sizes[blocks.leading.repeat]
    if not isinstance(leading, int) or not 0 <= leading <= repeat:
        raise CorruptFile(
            f"config.json of {model.tensors.name} gives {blocks.leading.repeat} = {leading}, not a number of its "
            f"{repeat} blocks"
        )
    return leading


def _refuse_more_blocks(model: Model, blocks: Blocks, repeat: int) -> None:
    """Refuse weights of more blocks than config.json speaks of, beside those that predict further tokens."""
    further = model.tensors.config.get(FURTHER_BLOCKS)
    block = repeat + (further if isinstance(further, int) else 0)
    tensors = [name for name in blocks.common_tensors if "{block}" in name and "{expert}" not in name]
    names = [model.prefix + name.replace("{block}", str(block)) for name in tensors]
    if names and all(name in model.names for name in names):
        raise CorruptFile(
            f"config.json of {model.tensors.name} speaks of {repeat} blocks, but there are weights of more, such as "
            f"{names[0]}; put the config.json of this model beside its weights"
        )


def _row(model: Model, row: Row, *, block: int) -> FittedRow:
    draw = f"{block}.{row.draw}"
    experts = model.count(row.experts) if row.experts else 1
    return FittedRow(block, row.row, tuple(row.kinds), model.count(row.size), draw, row.times, experts)


def _link(model: Model, link: LinkData, *, block: int, source: FittedRow, target: FittedRow) -> FittedLink:
    if link.wiring is not None:
        return FittedLink(f"wiring {source.row} to {target.row}", (), link.wiring)
    parts = len(target.kinds) // len(link.matrices)
    matrices = tuple(
        _matrix(model, matrix, block=block, parts=parts, place=place, source=source, target=target)
        for place, matrix in enumerate(link.matrices)
    )
    return FittedLink(joined(matrix.label for matrix in matrices), matrices, None)


def _matrix(
    model: Model, matrix: Matrix, *, block: int, parts: int, place: int, source: FittedRow, target: FittedRow
) -> FittedMatrix:
    name = model.prefix + matrix.tensor.replace("{block}", str(block))
    heads = model.count(matrix.heads) if matrix.heads else 1
    shared = model.count(matrix.shared_heads) if matrix.shared_heads else heads
    if target.size % heads or heads % shared:
        raise CorruptFile(
            f"config.json of {model.tensors.name}: {target.size} units do not divide into {heads} heads, "
            f"{shared} of them kept"
        )
    fitted = FittedMatrix(
        tensor=name,
        parts=parts,
        target=target.size,
        source=source.size,
        in_out=matrix.orientation == "in_out",
        fused=matrix.fused,
        heads=heads,
        shared_heads=shared,
        place=place,
        kernel=None,
        init=model.init(matrix.init, {"fan_in": source.size, "fan_out": target.size}),
        rows=_rows(model, matrix, head_size=target.size // heads, heads=shared),
        experts=max(source.experts, target.experts),
    )
    _check_shapes(model, fitted)
    return fitted


def _check_shapes(model: Model, matrix: FittedMatrix) -> None:
    """Refuse a tensor of another shape than the matrix has; experts may lie in one tensor, along its first axis."""
    together = (matrix.experts,) if placed(matrix.tensor_of(0))[1] is not None else ()
    for name in matrix.tensors:
        if model.shape(name) != together + matrix.shape:
            raise CorruptFile(
                f"{name} in {model.tensors.name} has shape {model.shape(name)}, "
                f"but config.json asks for {together + matrix.shape}"
            )


def _rows(model: Model, matrix: Matrix, *, head_size: int, heads: int) -> FittedRows | None:
    """Return where the rows of a part lie in a tensor that it shares.

    Parameters
    ----------
    head_size, heads : of the part, as the tensor has them
    """
    rows = matrix.rows
    if rows is None:
        return None
    per_head = model.whole(rows.per_head, matrix) if rows.per_head else head_size * rows.step
    group = heads // model.count(rows.groups) if rows.groups else heads
    per_group = model.whole(rows.per_group, matrix) if rows.per_group else 0
    fitted = FittedRows(
        model.whole(rows.of, matrix), model.whole(rows.first, matrix), rows.step, per_head, group, per_group
    )
    last = fitted.place(np.array([0, head_size * heads - 1]), head_size=head_size)
    if not 0 <= last.min() <= last.max() < fitted.of:
        raise UnsupportedArchitecture(
            f"{model.architecture.name} places rows {last.min()} to {last.max()} of {matrix.tensor} in a tensor of "
            f"{fitted.of} rows"
        )
    return fitted


def _lay_chain(model: Model) -> tuple[tuple[FittedRow, ...], tuple[FittedLink, ...]]:
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


def _chain_matrices(model: Model) -> list[FittedMatrix]:
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


def _chain_matrix(model: Model, name: str, init: Init) -> FittedMatrix:
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


def _broken_chain(model: Model, fault: str) -> UnsupportedArchitecture:
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
