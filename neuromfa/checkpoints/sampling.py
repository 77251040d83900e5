"""Sampling: which neurons a seed draws, and the weights between them, read in one pass for all seeds."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
import numpy.typing as npt

from neuromfa.checkpoints.dtypes import AnyArray
from neuromfa.checkpoints.fitting import Fit, FittedLink, FittedMatrix, FittedRow, fit
from neuromfa.checkpoints.tensors import TensorStore, read_picks
from neuromfa.errors import OptionError
from neuromfa.network import SNIN, BoolArray, IntArray, Layer, Link, Part, Provenance, WeightArray
from neuromfa.results import TensorCoverage

if TYPE_CHECKING:
    from neuromfa.checkpoints.series import Checkpoint

DRAWS_KEPT = 16
ROW_RULES = ("exact", "paper")


class Reads(Protocol):
    """What a checkpoint has read: bytes, and calls or requests it took."""

    @property
    def bytes_read(self) -> int:
        """Bytes read, headers included."""

    @property
    def requests(self) -> int:
        """Calls or requests."""


@dataclass(frozen=True)
class ReadsDone:
    """A count that no longer changes."""

    bytes_read: int
    requests: int


@dataclass(frozen=True, eq=False)
class SampledCheckpoint:
    """The networks of one checkpoint, one for each seed, and what was read for them.

    Attributes
    ----------
    networks : in order of the seeds
    tensors : every tensor of the checkpoint, used or skipped with a reason
    reads : bytes and requests; grows while the links of a whole network are taken
    """

    networks: tuple[SNIN, ...]
    tensors: TensorCoverage
    reads: Reads

    @property
    def bytes_read(self) -> int:
        """Bytes read from the checkpoint, headers included."""
        return self.reads.bytes_read

    @property
    def requests(self) -> int:
        """Calls or requests it took."""
        return self.reads.requests

    @cached_property
    def weights_hashes(self) -> tuple[str, ...]:
        """sha256 of the weights, one for each seed.

        Of a whole network, whose weights are not kept, it is taken while they pass by; asking before all
        links were taken reads those that are left.
        """
        return tuple(_weights_hash(network.links) for network in self.networks)


@dataclass(frozen=True)
class Origin:
    """Where a checkpoint comes from: series, step (None outside any series) and revision."""

    series: str
    step: int | None
    revision: str


@dataclass(frozen=True, eq=False)
class Draw:
    """The units one seed draws; `units[k]` belong to row k of the fit, indices in the model's row."""

    seed: int
    units: tuple[IntArray, ...]


@dataclass(frozen=True, eq=False)
class Pick:
    """The part of a matrix one seed asks for: int64 indices of target and source units in the tensor."""

    seed: int
    targets: IntArray
    sources: IntArray


class WeightSource(Protocol):
    """Where weights come from: a checkpoint, or the formulas of its initialisation."""

    def take(self, matrix: FittedMatrix, *, link: int, picks: Sequence[Pick]) -> list[WeightArray]:
        """Return an array of shape (n_targets, n_sources) for each pick; `link` is its place."""


def sample_checkpoint(
    checkpoint: "Checkpoint", *, nodes: int | None, seeds: Sequence[int], row_rule: str
) -> SampledCheckpoint:
    """Open a checkpoint and sample it, see `sample_networks`; a whole network keeps it open."""
    tensors = checkpoint.open()
    sampled = sample_networks(
        tensors,
        tensors.config,
        nodes=nodes,
        seeds=seeds,
        row_rule=row_rule,
        series=checkpoint.series,
        step=checkpoint.step,
        revision=checkpoint.revision,
        architecture=checkpoint.architecture,
    )
    if nodes is not None:
        tensors.close()
    return sampled


def sample_networks(
    tensors: TensorStore,
    config: Mapping[str, Any],
    *,
    nodes: int | None,
    seeds: Sequence[int],
    row_rule: str,
    series: str,
    step: int | None,
    revision: str,
    architecture: Path | None = None,
) -> SampledCheckpoint:
    """Sample one network for each seed, reading every matrix once.

    Parameters
    ----------
    tensors, config : the checkpoint and its config.json
    nodes : S, neurons per layer; None gives whole networks, whose links are read when they are taken
    seeds : seeds of ``numpy.random.RandomState``; the same seed draws the same neurons at every step
    row_rule : ``exact`` or ``paper``, see `FittedMatrix.target_rows`
    series, step, revision : where the checkpoint comes from
    architecture : the user's architecture file

    Raises
    ------
    UnsupportedArchitecture, CorruptFile, UnsupportedFormat
    """
    fitted = fit(tensors, config, architecture=architecture)
    source = StoredWeights(tensors)
    networks = build_networks(
        fitted, source, nodes=nodes, seeds=seeds, row_rule=row_rule, origin=Origin(series, step, revision)
    )
    reads = tensors if nodes is None else ReadsDone(tensors.bytes_read, tensors.requests)
    return SampledCheckpoint(networks, fitted.coverage, reads)


def build_networks(
    fitted: Fit,
    source: WeightSource,
    *,
    nodes: int | None,
    seeds: Sequence[int],
    row_rule: str,
    origin: Origin,
) -> tuple[SNIN, ...]:
    """Draw the neurons of every seed and take the weights between them from `source`, matrix by matrix."""
    if row_rule not in ROW_RULES:
        raise OptionError(f"row_rule is exact or paper, not {row_rule!r}")
    draws = [draw_units(fitted.rows, nodes=nodes, seed=seed) for seed in seeds]
    taker = LinkTaker(fitted, source, row_rule)
    links: list[Sequence[Link]]
    if nodes is None:
        links = [WholeLinks(taker, draw) for draw in draws]
    else:
        by_link = [taker.take(k, draws) for k in range(len(fitted.links))]
        links = [tuple(column) for column in zip(*by_link, strict=True)]
    artificial = tuple(link.wiring is not None for link in fitted.links)
    return tuple(
        SNIN(
            layers=_layers(fitted, draw, row_rule=row_rule),
            links=own_links,
            artificial=artificial,
            provenance=_provenance(fitted, origin, seed=draw.seed, nodes=nodes, row_rule=row_rule),
        )
        for draw, own_links in zip(draws, links, strict=True)
    )


# The checkpoints of a series share their draws, and choosing from thousands of units is slow.
@lru_cache(maxsize=DRAWS_KEPT)
def draw_units(rows: tuple[FittedRow, ...], *, nodes: int | None, seed: int) -> Draw:
    """Draw the units of every row with one ``RandomState(seed)``, in the order of the rows (paper).

    Each draw is ``choice(N, min(times * S, N), replace=False)``; rows that share a draw share its units.
    `nodes` None takes all units in order and draws nothing.
    """
    # The legacy generator is the paper's: its draws must be the same numbers.
    generator = np.random.RandomState(seed)  # noqa: NPY002
    drawn: dict[str, IntArray] = {}
    for row in rows:
        if row.draw in drawn:
            continue
        if nodes is None:
            units = np.arange(row.size)
        else:
            units = generator.choice(row.size, min(row.times * nodes, row.size), replace=False)
        drawn[row.draw] = _frozen(units)
    return Draw(seed, tuple(drawn[row.draw] for row in rows))


def _frozen(units: npt.NDArray[Any]) -> IntArray:
    frozen = units.astype(np.int64)
    frozen.flags.writeable = False
    return frozen


class LinkTaker:
    """Takes the links of a fitted model from a source of weights."""

    def __init__(self, fitted: Fit, source: WeightSource, row_rule: str) -> None:
        self.fitted = fitted
        self._source = source
        self._row_rule = row_rule

    def take(self, k: int, draws: Sequence[Draw]) -> list[Link]:
        """Return link `k`, from row k to row k + 1, for each draw."""
        link = self.fitted.links[k]
        if link.wiring is not None:
            return [self._wire(link, k, draws[0])] * len(draws)
        stacks = [self._weights(matrix, k, draws) for matrix in link.matrices]
        return [Link(link.name, weights=_stack(parts)) for parts in zip(*stacks, strict=True)]

    def _weights(self, matrix: FittedMatrix, k: int, draws: Sequence[Draw]) -> list[WeightArray]:
        picks = [
            Pick(draw.seed, matrix.target_rows(draw.units[k + 1], row_rule=self._row_rule), draw.units[k])
            for draw in draws
        ]
        return self._source.take(matrix, link=k, picks=picks)

    def _wire(self, link: FittedLink, k: int, draw: Draw) -> Link:
        parts = len(self.fitted.rows[k].kinds)
        return Link(link.name, wiring=wiring(link.wiring, parts=parts, units=draw.units[k].size))


def wiring(rule: str | None, *, parts: int, units: int) -> BoolArray:
    """Return artificial edges from `parts` kinds of `units` neurons each to `units` neurons.

    Parameters
    ----------
    rule : ``own`` joins every neuron to the same unit; ``attention`` does so for the first kind (the queries)
        and joins the others (keys, values) to all units

    Returns
    -------
    bool array of shape (units, parts * units)
    """
    own = np.eye(units, dtype=np.bool_)
    others = own if rule == "own" else np.ones((units, units), np.bool_)
    return np.hstack([own, *[others] * (parts - 1)])


class StoredWeights:
    """Weights read from the tensors of a checkpoint; a `WeightSource`."""

    def __init__(self, tensors: TensorStore) -> None:
        self._tensors = tensors

    def take(
        self,
        matrix: FittedMatrix,
        *,
        link: int,  # noqa: ARG002 - a file needs no place in the network
        picks: Sequence[Pick],
    ) -> list[WeightArray]:
        """Read the rows and columns of all picks in one pass over the file; see `WeightSource.take`."""
        if len(picks) == 1 and _is_whole(matrix, picks[0]):
            whole = _as_weights(matrix, self._tensors.read(matrix.tensor))
            targets = picks[0].targets
            return [whole if _in_order(targets, len(whole)) else whole[targets]]
        axes = [
            (pick.sources, pick.targets) if matrix.in_out else (pick.targets, pick.sources) for pick in picks
        ]
        return [_as_weights(matrix, block) for block in read_picks(self._tensors, matrix.tensor, axes)]


def _is_whole(matrix: FittedMatrix, pick: Pick) -> bool:
    return pick.targets.size == matrix.parts * matrix.target and _in_order(pick.sources, matrix.source)


def _as_weights(matrix: FittedMatrix, block: AnyArray) -> WeightArray:
    """Return weights of shape (n_targets, n_sources), row-major; a kernel counts with its L2 norm (ours)."""
    if block.ndim > 2:
        return kernel_norm(block.reshape(*block.shape[:2], -1))
    return np.ascontiguousarray(block.T) if matrix.in_out else block


def kernel_norm(kernels: AnyArray) -> WeightArray:
    """Return the L2 norm over the last axis of (n_targets, n_sources, kernel), computed in float64."""
    with np.errstate(over="ignore"):
        norm: WeightArray = np.sqrt(np.square(kernels, dtype=np.float64).sum(axis=-1))
    return norm


def _in_order(indices: IntArray, length: int) -> bool:
    return indices.size == length and bool(np.array_equal(indices, np.arange(length)))


def _stack(parts: Sequence[WeightArray]) -> WeightArray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class WholeLinks(Sequence[Link]):
    """The links of a whole network; each is read when it is taken, and only that one is in memory."""

    def __init__(self, taker: LinkTaker, draw: Draw) -> None:
        self._taker = taker
        self._draw = draw
        self._passed = 0
        self._digest = hashlib.sha256()

    def __len__(self) -> int:
        return len(self._taker.fitted.links)

    @overload
    def __getitem__(self, k: int) -> Link: ...

    @overload
    def __getitem__(self, k: slice) -> tuple[Link, ...]: ...

    def __getitem__(self, k: int | slice) -> Link | tuple[Link, ...]:
        """Read link `k`."""
        if isinstance(k, slice):
            return tuple(self[index] for index in range(*k.indices(len(self))))
        place = range(len(self))[k]
        link = self._taker.take(place, [self._draw])[0]
        if place == self._passed:
            _add_weights(self._digest, link)
            self._passed += 1
        return link

    def weights_hash(self) -> str:
        """Return the sha256 of all weights, reading those that were not taken yet."""
        while self._passed < len(self):
            self[self._passed]
        return self._digest.hexdigest()


def _weights_hash(links: Iterable[Link]) -> str:
    if isinstance(links, WholeLinks):
        return links.weights_hash()
    digest = hashlib.sha256()
    for link in links:
        _add_weights(digest, link)
    return digest.hexdigest()


def _add_weights(digest: "hashlib._Hash", link: Link) -> None:
    """Add shape, number format and values of a link's weights to a digest; wiring follows from the rest."""
    if link.weights is None:
        return
    digest.update(f"{link.weights.dtype.str}{link.weights.shape}".encode())
    digest.update(np.ascontiguousarray(link.weights).data)


def _layers(fitted: Fit, draw: Draw, *, row_rule: str) -> tuple[Layer, ...]:
    incoming = (None, *fitted.links)
    return tuple(
        Layer(row.block, row.row, _parts(row, link, units, row_rule=row_rule), whole=units.size == row.size)
        for row, link, units in zip(fitted.rows, incoming, draw.units, strict=True)
    )


def _parts(row: FittedRow, link: FittedLink | None, units: IntArray, *, row_rule: str) -> tuple[Part, ...]:
    """Return the kinds of a row; rows taken as they stand in a fused tensor carry its row numbers (paper)."""
    if link is not None and link.fused and row_rule == "paper":
        return (Part(row.row, link.matrices[0].target_rows(units, row_rule=row_rule)),)
    return tuple(Part(kind, units) for kind in row.kinds)


def _provenance(fitted: Fit, origin: Origin, *, seed: int, nodes: int | None, row_rule: str) -> Provenance:
    return Provenance(
        series=origin.series,
        step=origin.step,
        revision=origin.revision,
        architecture=fitted.architecture.name,
        architecture_hash=fitted.architecture.hash,
        dtype=fitted.dtype,
        seed=seed,
        nodes=nodes,
        row_rule=row_rule,
    )
