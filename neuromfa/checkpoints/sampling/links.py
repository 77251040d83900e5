"""Links: the weights between drawn units, read in one pass for all seeds, or matrix by matrix for whole networks."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, overload

import numpy as np

from neuromfa.checkpoints.architecture.fitted import Fit, FittedLink, FittedMatrix, placed
from neuromfa.checkpoints.formats.dtypes import AnyArray
from neuromfa.checkpoints.formats.tensor_store import TensorStore, read_picks
from neuromfa.checkpoints.sampling.draws import Draw, Pick
from neuromfa.network import BoolArray, IntArray, Link, StoredPart, WeightArray

VALUE_ROWS = 4


class WeightSource(Protocol):
    """Where weights come from: a checkpoint, or the formulas of its initialisation."""

    def take(self, matrix: FittedMatrix, *, link: int, picks: Sequence[Pick]) -> list[WeightArray]:
        """Return an array of shape (n_targets, n_sources) for each pick; `link` is its place."""


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
            return self._wired(link, k, draws)
        picks = [[self._pick(matrix, k, draw) for draw in draws] for matrix in link.matrices]
        stacks = [
            self._source.take(matrix, link=k, picks=own)
            for matrix, own in zip(link.matrices, picks, strict=True)
        ]
        parts_of = self._parts_of(link)
        return [
            Link(
                link.name,
                weights=_stack(weights),
                parts=parts_of([pick.targets for pick in own]),
                source_share=draw.units[k].size / self.fitted.rows[k].size,
            )
            for draw, own, *weights in zip(draws, zip(*picks, strict=True), *stacks, strict=True)
        ]

    def _parts_of(self, link: FittedLink) -> Callable[[Sequence[IntArray]], tuple[StoredPart, ...]]:
        """Return what gives the stored parts of draws; those of one size share theirs, unless rows are mixed."""
        known: dict[tuple[int, ...], tuple[StoredPart, ...]] = {}
        mixed = any(_is_mixed(matrix, self._row_rule) for matrix in link.matrices)

        def parts_of(targets: Sequence[IntArray]) -> tuple[StoredPart, ...]:
            sizes = tuple(rows.size for rows in targets)
            if mixed or sizes not in known:
                known[sizes] = stored_parts(link.matrices, targets, row_rule=self._row_rule)
            return known[sizes]

        return parts_of

    def _pick(self, matrix: FittedMatrix, k: int, draw: Draw) -> Pick:
        sources, targets = draw.units[k], draw.units[k + 1]
        expert = 0
        if matrix.experts > 1:
            expert = int(max(sources[0] // matrix.source, targets[0] // matrix.target))
            sources, targets = sources % matrix.source, targets % matrix.target
        return Pick(draw.seed, matrix.target_rows(targets, row_rule=self._row_rule), sources, expert)

    def _wired(self, link: FittedLink, k: int, draws: Sequence[Draw]) -> list[Link]:
        # the source row is the target of the link before
        sources = self.fitted.links[k - 1].by_kind if k else ()
        # without rows that heads share, wiring depends on the number of units alone, which all draws have
        alike = not any(matrix.grouped for matrix in sources)
        made = [
            wiring(link.wiring, sources=sources, units=draw.units[k])
            for draw in (draws[:1] if alike else draws)
        ]
        return [Link(link.name, wiring=own) for own in (made * len(draws) if alike else made)]


def stored_parts(
    matrices: Sequence[FittedMatrix], targets: Sequence[IntArray], *, row_rule: str
) -> tuple[StoredPart, ...]:
    """Return the stored parts of a link whose targets are drawn from `matrices`, one array of indices each."""
    found: list[StoredPart] = []
    start = 0
    for matrix, rows in zip(matrices, targets, strict=True):
        size = matrix.n_targets // matrix.parts
        for places in _places_by_part(matrix, rows, row_rule):
            found.append(StoredPart(_moved(places, start), _count(places) / size))
        start += rows.size
    return tuple(found)


def _places_by_part(matrix: FittedMatrix, rows: IntArray, row_rule: str) -> Iterator[slice | IntArray]:
    """Yield the places among the drawn rows of one tensor that belong to each of its parts."""
    if _is_mixed(matrix, row_rule):
        part_of = matrix.parts_of(rows)
        yield from (np.flatnonzero(part_of == part) for part in np.unique(part_of))
        return
    n = rows.size // matrix.parts
    yield from (slice(part * n, (part + 1) * n) for part in range(matrix.parts))


def _is_mixed(matrix: FittedMatrix, row_rule: str) -> bool:
    """Return whether rows are taken as they stand, so that which part one is of depends on its head."""
    return matrix.fused == "per_head_qkv" and row_rule != "exact"


def _moved(places: slice | IntArray, by: int) -> slice | IntArray:
    return slice(places.start + by, places.stop + by) if isinstance(places, slice) else places + by


def _count(places: slice | IntArray) -> int:
    return places.stop - places.start if isinstance(places, slice) else places.size


def wiring(rule: str | None, *, sources: Sequence[FittedMatrix], units: IntArray) -> BoolArray:
    """Return artificial edges to `units` from the kinds of neurons that the matrices `sources` feed.

    Parameters
    ----------
    rule : ``own`` joins every neuron to the same unit, ``all`` to the units that use it, see
        `FittedMatrix.used_by`; ``attention`` does the first for the first kind (the queries) and the second for the
        others (keys, values)
    sources : one matrix for each kind, the first kind first
    units : (n_units,), drawn units of both rows

    Returns
    -------
    bool array of shape (n_units, n_sources)
    """
    if rule == "all":
        return np.hstack([matrix.used_by(units) for matrix in sources])
    own = np.eye(units.size, dtype=np.bool_)
    return np.hstack([own, *(own if rule == "own" else matrix.used_by(units) for matrix in sources[1:])])


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
        found: dict[int, WeightArray] = {}
        for expert in dict.fromkeys(pick.expert for pick in picks):
            mine = [number for number, pick in enumerate(picks) if pick.expert == expert]
            weights = self._take(matrix, matrix.tensor_of(expert), [picks[number] for number in mine])
            found |= dict(zip(mine, weights, strict=True))
        return [found[number] for number in range(len(picks))]

    def _take(self, matrix: FittedMatrix, tensor: str, picks: Sequence[Pick]) -> list[WeightArray]:
        name, place = placed(tensor)
        if place is None and len(picks) == 1 and _is_whole(matrix, picks[0]):
            whole = _as_weights(matrix, self._tensors.read(name))
            targets = picks[0].targets
            return [whole if _in_order(targets, len(whole)) else whole[targets]]
        axes = [
            (pick.sources, pick.targets) if matrix.in_out else (pick.targets, pick.sources) for pick in picks
        ]
        return [_as_weights(matrix, block) for block in read_picks(self._tensors, name, axes, place=place)]


def _is_whole(matrix: FittedMatrix, pick: Pick) -> bool:
    return pick.targets.size == matrix.n_targets and _in_order(pick.sources, matrix.source)


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
        self._hashes: list[str | None] = []

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
        if place == len(self._hashes):
            self._hashes.append(link_hash(link))
        return link

    def hashes(self) -> tuple[str | None, ...]:
        """Return the identity of every link, reading those that were not taken yet."""
        while len(self._hashes) < len(self):
            self[len(self._hashes)]
        return tuple(self._hashes)


def link_hashes(links: Sequence[Link]) -> tuple[str | None, ...]:
    """Return the identity of every link of a network; None for wiring, which follows from the rest."""
    return links.hashes() if isinstance(links, WholeLinks) else tuple(map(link_hash, links))


def value_hash(link: Link) -> str | None:
    """Return `link_hash` of every fourth row of targets, in float32 where that holds the same numbers.

    It tells copies whatever format they lie in; a quarter of the rows tells as much, at a quarter of the cost.
    """
    if link.weights is None:
        return None
    rows = link.weights[::VALUE_ROWS]
    if rows.dtype != np.float32:
        with np.errstate(over="ignore"):
            single = rows.astype(np.float32)
        rows = single if np.array_equal(single, rows, equal_nan=True) else rows
    return link_hash(replace(link, weights=rows))


def link_hash(link: Link) -> str | None:
    """Return the sha256 of shape, number format and values of a link's weights, None for wiring."""
    if link.weights is None:
        return None
    digest = hashlib.sha256(f"{link.weights.dtype.str}{link.weights.shape}".encode())
    digest.update(np.ascontiguousarray(link.weights).data)
    return digest.hexdigest()
