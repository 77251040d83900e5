"""Architectures as data: what an architecture file may say.

A file says which rows of neurons a model has, in the order they are drawn, and which tensor joins each row to
the next. docs/architectures.md explains every key; docs/architecture.schema.json is made from these classes.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Names of rows and kinds become labels in the graph and parts of neurons' names.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Formula = str
PLACE = "[{expert}]"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Size(_Data):
    """A number of the model, read from config.json or computed from numbers named before it."""

    keys: list[str] = Field(
        default=[], description="Keys of config.json to try, in order; null counts as absent."
    )
    axis: tuple[str, int] | None = Field(
        default=None,
        strict=False,
        description="Tensor after the prefix and which of its axes has this size; used when none of the keys is there.",
    )
    counted: str | None = Field(
        default=None,
        pattern=r"\{block\}",
        description="Tensor with {block} in its name: how many blocks have it, used when none of the keys is there.",
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
    experts: Name | None = Field(
        default=None,
        description="Mixture of experts: size that counts the experts, each of which has such a row. A seed draws one "
        "expert in each block and then its units, which are numbered behind those of the experts before it.",
    )


class Rows(_Data):
    """Which rows of a tensor are those of one part, where parts share the tensor in another way than `fused` says."""

    of: Formula = Field(description="Rows that the tensor has in all.")
    first: Formula = Field(default="0", description="Row of the part's first unit.")
    step: int = Field(
        default=1, ge=1, description="Rows from one unit to the next; 2 where two parts alternate."
    )
    per_head: Formula | None = Field(
        default=None,
        description="Rows from one head of the tensor to the next, where others lie between; else heads follow each "
        "other.",
    )
    groups: Name | None = Field(
        default=None, description="Size that counts the groups of heads, where a group's keys lie between."
    )
    per_group: Formula | None = Field(
        default=None, description="Rows from one group of heads to the next, with `groups`."
    )

    @model_validator(mode="after")
    def _groups_together(self) -> Self:
        if (self.groups is None) != (self.per_group is None):
            raise ValueError("`groups` and `per_group` stand together")
        return self


class Matrix(_Data):
    """One tensor of weights between a row and the next."""

    tensor: str = Field(
        description="Tensor name after the prefix; {block} is the number of the block, {expert} that of the expert. "
        "`[{expert}]` behind the name means the place on the first of three axes."
    )
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
    rows: Rows | None = Field(
        default=None, description="Which rows of the tensor these are; all of them unless it says otherwise."
    )
    init: Init

    @model_validator(mode="after")
    def _heads_where_needed(self) -> Self:
        if (self.fused == "per_head_qkv" or self.shared_heads is not None) and self.heads is None:
            raise ValueError(f"{self.tensor} needs `heads`")
        if self.fused != "none" and self.shared_heads is not None:
            raise ValueError(
                f"{self.tensor} cannot be fused and have shared heads; say its `rows` part by part"
            )
        if self.rows is not None and self.fused != "none":
            raise ValueError(f"{self.tensor} is fused, or says its `rows`, not both")
        if self.rows is not None and (self.rows.per_head or self.rows.groups) and self.heads is None:
            raise ValueError(f"{self.tensor} needs `heads`")
        return self


class LinkData(_Data):
    """All edges between a row and the next: weights, or artificial wiring of distance 1."""

    matrices: list[Matrix] = Field(
        default=[], description="One fused tensor, or one for each kind of the target row."
    )
    wiring: Literal["attention", "all", "own"] | None = Field(
        default=None,
        description="attention: first kind to its own unit, other kinds to all, or with shared heads to the "
        "units of the heads that share them; all: every kind as those others; own: every kind to its own unit.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.matrices) == (self.wiring is not None):
            raise ValueError("a link has either matrices or wiring")
        return self


class Block(_Data):
    """Rows and links of a block that is repeated."""

    repeat: Name = Field(description="Size that counts the blocks.")
    rows: list[Row] = Field(min_length=1)
    links: list[LinkData] = Field(
        description="links[k] joins rows[k] to rows[k + 1]; the last one to the next block."
    )

    @property
    def matrices(self) -> list[Matrix]:
        """The tensors of one block."""
        return [matrix for link in self.links for matrix in link.matrices]


class Blocks(Block):
    """A model of equal blocks: rows and links of one block, repeated, and one row at the end."""

    output: Row
    leading: Block | None = Field(
        default=None,
        description="The first of the blocks where they differ from the others, as dense blocks before mixtures; "
        "`repeat` counts them, 0 where there are none, among all blocks.",
    )

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        _check_block(self, self.output)
        if self.leading is not None:
            _check_block(self.leading, self.output)
            if not self.common_tensors:
                raise ValueError(
                    "leading blocks share a tensor name with the others, by which the model is known"
                )
        return self

    @property
    def common_tensors(self) -> list[str]:
        """Names of the tensors that every block has, in order."""
        everywhere = {matrix.tensor for matrix in (self.leading or self).matrices}
        return [matrix.tensor for matrix in self.matrices if matrix.tensor in everywhere]

    def of(self, block: int, *, leading: int) -> Block:
        """Return the rows and links of one block, where the first `leading` ones have their own."""
        return self.leading if self.leading is not None and block < leading else self


def _check_block(block: Block, output: Row) -> None:
    if len(block.links) != len(block.rows):
        raise ValueError("a block has as many links as rows, the last link leading to the next block")
    if not block.matrices:
        raise ValueError("at least one link has matrices")
    if len(block.rows[0].kinds) > 1:
        raise ValueError("the first row of a block has one kind")
    if (output.kinds, output.size) != (output.kinds[:1], block.rows[0].size):
        raise ValueError("the output row has one kind and the size of the first row of a block")
    _check_draws([*block.rows, output])
    targets = [*block.rows[1:], output]
    for source, link, target in zip(block.rows, block.links, targets, strict=True):
        _check_link(source, link, target)
    for link, after in zip(block.links, [*block.links[1:], block.links[0]], strict=True):
        _check_sharing(link, after)
    for before, link in zip([None, *block.links], block.links, strict=False):
        if link.wiring == "all" and (before is None or not before.matrices):
            raise ValueError("wiring `all` leads on from a row that matrices feed")


def _check_draws(rows: list[Row]) -> None:
    drawn: dict[str, tuple[str, int, str | None]] = {}
    for row in rows:
        mine = (row.size, row.times, row.experts)
        if drawn.setdefault(row.draw, mine) != mine:
            raise ValueError(f"rows of the draw {row.draw} differ in size, times or experts")


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
    if source.experts is not None and target.experts is not None:
        raise ValueError(f"{where} has weights: one of its rows is that of experts, not both")
    for matrix in link.matrices:
        if ("{expert}" in matrix.tensor) != bool(source.experts or target.experts):
            raise ValueError(
                f"{matrix.tensor} names {{expert}} where a row of its link has experts, and only there"
            )


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
    when : further values of config.json that it describes, by key; null for a key that is not there
    nested : objects of config.json in which its keys are looked for before the top, where they are there
    prefixes : what may stand before every tensor name, tried in order
    sizes : numbers of the model by name, in order of evaluation
    blocks, chain : the one that is set says how the model is laid out
    skip : why other tensors take no part; the first pattern that fits gives the reason
    """

    name: Name
    title: str
    layout: str = Field(default="", description="How the tensors lie, in a few words for lists.")
    model_types: list[str] = []
    when: dict[str, list[Any]] = {}
    nested: list[str] = []
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
        return _firsts(self.blocks.common_tensors, "0")

    @property
    def later_tensors(self) -> list[str]:
        """Patterns after the prefix of the tensors that only the blocks behind the leading ones have."""
        if self.blocks is None or self.blocks.leading is None:
            return []
        common = set(self.blocks.common_tensors)
        return _firsts([one.tensor for one in self.blocks.matrices if one.tensor not in common], "*")


def _firsts(tensors: list[str], block: str) -> list[str]:
    """Return the names of tensors in a block, those of the first expert where there are several."""
    names = [name.replace("{block}", block).replace(PLACE, "").replace("{expert}", "0") for name in tensors]
    return list(dict.fromkeys(names))


def _sizes_named(blocks: Blocks) -> set[str]:
    """Return every size that rows and matrices of the blocks refer to."""
    alone = blocks.leading
    rows = [*blocks.rows, *(alone.rows if alone else [])]
    matrices = [*blocks.matrices, *(alone.matrices if alone else [])]
    groups = [matrix.rows.groups for matrix in matrices if matrix.rows]
    heads = [
        name
        for name in [*groups, *(name for matrix in matrices for name in (matrix.heads, matrix.shared_heads))]
        if name is not None
    ]
    experts = [row.experts for row in rows if row.experts is not None]
    repeats = [blocks.repeat, *([alone.repeat] if alone else [])]
    return {*repeats, *(row.size for row in rows), *heads, *experts}


def schema() -> dict[str, Any]:
    """Return the JSON schema of an architecture file: what docs/architecture.schema.json holds."""
    result = Architecture.model_json_schema()
    inherited = {"description": "Bundled file whose keys stand beneath this one's.", "type": "string"}
    result["properties"] = {"$schema": {"type": "string"}, "extends": inherited, **result["properties"]}
    # A file that extends another may leave out what the other says.
    result["required"] = []
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **result}
