"""Architectures as data: what an architecture file may say, and how files are found and read.

A file says which rows of neurons a model has, in the order they are drawn, and which tensor joins each row to
the next. docs/architectures.md explains every key; docs/architecture.schema.json is made from these classes.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from neuromfa.errors import UnsupportedArchitecture

BUNDLED = files("neuromfa.checkpoints") / "architectures"
LARGEST_FILE = 1 << 20
LONGEST_INHERITANCE = 4

# Names of rows and kinds become labels in the graph and parts of neurons' names.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Formula = str


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Size(_Data):
    """A number of the model, read from config.json or computed from numbers named before it."""

    keys: list[str] = Field(
        default=[], description="Keys of config.json to try, in order; null counts as absent."
    )
    otherwise: Formula | None = Field(
        default=None, description="Formula used when none of the keys is there."
    )
    accept: list[Any] | None = Field(
        default=None, description="Values this file describes; others are refused."
    )


class Init(_Data):
    """How the model's own code draws a matrix before training; used by `--baseline reinit`."""

    distribution: Literal["normal", "uniform"] = Field(default="normal")
    spread: Formula = Field(
        description="Standard deviation of the normal, or half-width of the uniform around 0. Besides the "
        "sizes, fan_in and fan_out (times the kernel's size) may be used."
    )


class Row(_Data):
    """Neurons that stand side by side in one column of the layered graph."""

    row: Name
    kinds: list[Name] = Field(
        min_length=1, description="Parts of the row, each holding the units of the draw."
    )
    size: Name = Field(description="Name of the size the units are drawn from.")
    draw: Name = Field(description="Rows of a block that name the same draw hold the same units.")
    times: int = Field(default=1, ge=1, le=16, description="The draw takes times x S units.")


class Matrix(_Data):
    """One tensor of weights between a row and the next."""

    tensor: str = Field(description="Tensor name after the prefix; {block} is the number of the block.")
    orientation: Literal["out_in", "in_out"] = Field(
        default="out_in",
        description="out_in: axis 0 is the target, as torch.nn.Linear; in_out: as GPT-2's Conv1D.",
    )
    fused: Literal["none", "qkv", "per_head_qkv"] = Field(
        default="none",
        description="How several parts of the target row share the tensor: qkv = one after the other; "
        "per_head_qkv = [head, part, head size], as GPT-NeoX.",
    )
    heads: Name | None = Field(
        default=None, description="Size that counts the heads (per_head_qkv, shared_heads)."
    )
    shared_heads: Name | None = Field(
        default=None, description="Grouped-query attention: size that counts the heads this tensor has."
    )
    init: Init

    @model_validator(mode="after")
    def _heads_where_needed(self) -> Self:
        if (self.fused == "per_head_qkv" or self.shared_heads is not None) and self.heads is None:
            raise ValueError(f"{self.tensor} needs `heads`")
        if self.fused != "none" and self.shared_heads is not None:
            raise ValueError(f"{self.tensor} cannot be fused and have shared heads")
        return self


class LinkData(_Data):
    """All edges between a row and the next: weights, or artificial wiring of distance 1."""

    matrices: list[Matrix] = Field(
        default=[], description="One fused tensor, or one for each kind of the target row."
    )
    wiring: Literal["attention", "own"] | None = Field(
        default=None,
        description="attention: first kind to its own unit, other kinds to all, or with shared heads to the "
        "units of the heads that share them; own: every kind to its own unit.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.matrices) == (self.wiring is not None):
            raise ValueError("a link has either matrices or wiring")
        return self


class Blocks(_Data):
    """A model of equal blocks: rows and links of one block, repeated, and one row at the end."""

    repeat: Name = Field(description="Size that counts the blocks.")
    rows: list[Row] = Field(min_length=1)
    links: list[LinkData] = Field(
        description="links[k] joins rows[k] to rows[k + 1]; the last one to the next block."
    )
    output: Row

    @model_validator(mode="after")
    def _links_fit_rows(self) -> Self:
        if len(self.links) != len(self.rows):
            raise ValueError("a block has as many links as rows, the last link leading to the next block")
        if not any(link.matrices for link in self.links):
            raise ValueError("at least one link has matrices")
        if len(self.rows[0].kinds) > 1:
            raise ValueError("the first row of a block has one kind")
        if (self.output.kinds, self.output.size) != (self.output.kinds[:1], self.rows[0].size):
            raise ValueError("the output row has one kind and the size of the first row of a block")
        _check_draws([*self.rows, self.output])
        targets = [*self.rows[1:], self.output]
        for source, link, target in zip(self.rows, self.links, targets, strict=True):
            _check_link(source, link, target)
        for link, after in zip(self.links, [*self.links[1:], self.links[0]], strict=True):
            _check_sharing(link, after)
        return self


def _check_draws(rows: list[Row]) -> None:
    drawn: dict[str, tuple[str, int]] = {}
    for row in rows:
        if drawn.setdefault(row.draw, (row.size, row.times)) != (row.size, row.times):
            raise ValueError(f"rows of the draw {row.draw} differ in size or times")


def _check_link(source: Row, link: LinkData, target: Row) -> None:
    where = f"the link from {source.row} to {target.row}"
    if link.wiring is not None:
        if (source.draw, target.kinds) != (target.draw, target.kinds[:1]):
            raise ValueError(f"{where} is wiring: both rows hold the same draw, the target has one kind")
        return
    fused = link.matrices[0].fused != "none"
    if len(link.matrices) != (1 if fused else len(target.kinds)):
        raise ValueError(f"{where} needs one fused matrix or one for each of {', '.join(target.kinds)}")
    if len(source.kinds) != 1:
        raise ValueError(f"{where} has weights: its source row has one kind")


def _check_sharing(link: LinkData, after: LinkData) -> None:
    shared = [matrix for matrix in link.matrices if matrix.shared_heads is not None]
    if shared and (after.wiring != "attention" or link.matrices[0] in shared):
        raise ValueError(
            f"{shared[0].tensor} has shared heads: it holds keys or values, after the queries of its row, and "
            "attention wiring comes next"
        )


class Chain(_Data):
    """A model whose tensors follow each other: every tensor's columns are the rows of the one before."""

    tensors: list[str] = Field(
        min_length=1,
        description="Patterns (* = any text) of tensor names after the prefix, in order along the "
        "model; names under one pattern are taken in natural order (2 before 10).",
    )
    rows: tuple[Name, Name, Name] = Field(
        default=("input", "hidden", "output"),
        strict=False,
        description="Names of the first, inner and last rows.",
    )
    axes: Literal["matrix", "kernel"] = Field(
        default="matrix",
        description="matrix: 2 axes; kernel: more than 2, and an edge weighs the L2 norm of the kernel "
        "between two channels.",
    )
    init: Init


class Skip(_Data):
    """Tensors that take no part, and why."""

    tensors: list[str] = Field(min_length=1, description="Patterns (* = any text) of whole tensor names.")
    reason: str


class Architecture(_Data):
    """An architecture file, read and checked.

    Attributes
    ----------
    name, title, layout : short name, what a person calls the family, and how its tensors lie, in words
    model_types : values of config.json's model_type it describes
    prefixes : what may stand before every tensor name, tried in order
    sizes : numbers of the model by name, in order of evaluation
    blocks, chain : the one that is set says how the model is laid out
    skip : why other tensors take no part; the first pattern that fits gives the reason
    """

    name: Name
    title: str
    layout: str = Field(default="", description="How the tensors lie, in a few words for lists.")
    model_types: list[str] = []
    prefixes: list[str] = Field(default=[""], min_length=1)
    sizes: dict[Name, Size] = {}
    blocks: Blocks | None = None
    chain: Chain | None = None
    skip: list[Skip] = []

    @model_validator(mode="after")
    def _one_layout(self) -> Self:
        if (self.blocks is None) == (self.chain is None):
            raise ValueError("an architecture has either blocks or a chain")
        unknown = sorted(_sizes_named(self.blocks) - set(self.sizes)) if self.blocks else []
        if unknown:
            raise ValueError(f"sizes lacks {', '.join(unknown)}")
        return self

    @property
    def first_tensors(self) -> list[str]:
        """Names (or patterns) after the prefix by which the architecture is known: those of block 0."""
        if self.chain is not None:
            return self.chain.tensors
        assert self.blocks is not None
        matrices = [matrix for link in self.blocks.links for matrix in link.matrices]
        return [matrix.tensor.replace("{block}", "0") for matrix in matrices]


def _sizes_named(blocks: Blocks) -> set[str]:
    """Return every size that rows and matrices of the blocks refer to."""
    matrices = [matrix for link in blocks.links for matrix in link.matrices]
    heads = [name for matrix in matrices for name in (matrix.heads, matrix.shared_heads) if name is not None]
    return {blocks.repeat, *(row.size for row in blocks.rows), *heads}


def load_architecture(path: Path) -> Architecture:
    """Read an architecture file of the user; the bare name of a bundled one is accepted too.

    Raises
    ------
    UnsupportedArchitecture
        No such file, not JSON, or not what docs/architecture.schema.json allows; the message says which key.
    """
    if not path.exists() and path.name == str(path) and _is_bundled(path.name):
        return bundled(path.name)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise UnsupportedArchitecture(
                f"the architecture file {path} has {size} bytes; {LARGEST_FILE} are allowed"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnsupportedArchitecture(f"the architecture file {path} cannot be read: {error}") from error
    return _parse(text, where=str(path))


@cache
def list_architectures() -> tuple[Architecture, ...]:
    """Return the bundled architectures: those that others extend first, chains after blocks, the most general last."""
    names = sorted(entry.name[: -len(".json")] for entry in BUNDLED.iterdir() if entry.name.endswith(".json"))
    found = [bundled(name) for name in names if not name.startswith("_")]
    return tuple(sorted(found, key=_generality))


def _generality(architecture: Architecture) -> tuple[bool, int]:
    """Sort key: a chain fits more models than blocks do, and the more so the shorter its patterns are.

    Of files with the same tensor names the one that the others extend stands first: it names their kind.
    """
    chain = architecture.chain
    return (False, _depth(architecture.name)) if chain is None else (True, -sum(map(len, chain.tensors)))


def _depth(name: str) -> int:
    """Return how many bundled files stand beneath one."""
    base = _json_object(_bundled_text(name), where=f"{name}.json").get("extends")
    return 0 if base is None else 1 + _depth(base)


@cache
def bundled(name: str) -> Architecture:
    """Return a bundled architecture by name."""
    return _parse(_bundled_text(name), where=f"{name}.json")


def _is_bundled(name: str) -> bool:
    return name.isidentifier() and (BUNDLED / f"{name}.json").is_file()


def _bundled_text(name: str) -> str:
    if not _is_bundled(name):
        raise UnsupportedArchitecture(f"there is no bundled architecture {name!r} to extend")
    return (BUNDLED / f"{name}.json").read_text(encoding="utf-8")


def _parse(text: str, *, where: str) -> Architecture:
    try:
        return Architecture.model_validate(_inherited(_json_object(text, where=where), depth=0))
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"])) or "the file"
        raise UnsupportedArchitecture(
            f"the architecture file {where} is not valid at {key}: {fault['msg']}"
        ) from error


def _json_object(text: str, *, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnsupportedArchitecture(f"the architecture file {where} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UnsupportedArchitecture(f"the architecture file {where} is not a JSON object")
    return value


def _inherited(values: Mapping[str, Any], *, depth: int) -> dict[str, Any]:
    """Return the keys over those of the bundled file that ``extends`` names; `skip` lists are joined."""
    own = {key: value for key, value in values.items() if key not in ("extends", "$schema")}
    base_name = values.get("extends")
    if base_name is None:
        return own
    if depth >= LONGEST_INHERITANCE:
        raise UnsupportedArchitecture("architecture files extend each other in a circle")
    text = _bundled_text(str(base_name))
    base = _inherited(_json_object(text, where=f"{base_name}.json"), depth=depth + 1)
    joined = {**base, **own}
    if isinstance(own.get("skip", []), list):
        joined["skip"] = [*own.get("skip", []), *base.get("skip", [])]
    return joined


def schema() -> dict[str, Any]:
    """Return the JSON schema of an architecture file: what docs/architecture.schema.json holds."""
    result = Architecture.model_json_schema()
    inherited = {"description": "Bundled file whose keys stand beneath this one's.", "type": "string"}
    result["properties"] = {"$schema": {"type": "string"}, "extends": inherited, **result["properties"]}
    # A file that extends another may leave out what the other says.
    result["required"] = []
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **result}
