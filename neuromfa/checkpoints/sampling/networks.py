"""Sampling: which neurons a seed draws, and the weights between them, read in one pass for all seeds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol

from neuromfa.checkpoints.architecture.fitted import Fit, FittedLink, FittedRow
from neuromfa.checkpoints.architecture.match import fit
from neuromfa.checkpoints.formats.tensor_store import TensorStore
from neuromfa.checkpoints.sampling.draws import Draw, draw_units
from neuromfa.checkpoints.sampling.links import (
    LinkTaker,
    StoredWeights,
    WeightSource,
    WholeLinks,
    link_hashes,
)
from neuromfa.checkpoints.series import Checkpoint
from neuromfa.errors import OptionError
from neuromfa.identity import content_hash
from neuromfa.network import SNIN, IntArray, Layer, Link, Part, Provenance
from neuromfa.results import TensorCoverage

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
    link_names : name of every link: its tensors, or its wiring
    tensors : every tensor of the checkpoint, used or skipped with a reason
    reads : bytes and requests; grows while the links of a whole network are taken
    """

    networks: tuple[SNIN, ...]
    link_names: tuple[str, ...]
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
    def link_hashes(self) -> tuple[tuple[str | None, ...], ...]:
        """sha256 of the weights of every link (None for wiring), one tuple for each seed.

        Of a whole network, whose weights are not kept, they are taken while they pass by; asking before all
        links were taken reads those that are left.
        """
        return tuple(link_hashes(network.links) for network in self.networks)

    @property
    def weights_hashes(self) -> tuple[str, ...]:
        """Identity of all weights, one for each seed."""
        return tuple(content_hash(hashes) for hashes in self.link_hashes)


@dataclass(frozen=True)
class Origin:
    """Where a checkpoint comes from: series, step (None outside any series) and revision."""

    series: str
    step: int | None
    revision: str


def sample_checkpoint(
    checkpoint: Checkpoint, *, nodes: int | None, seeds: Sequence[int], row_rule: str
) -> SampledCheckpoint:
    """Open a checkpoint and sample it, see `sample_networks`; a whole network keeps it open."""
    tensors = checkpoint.open()
    sampled = _of_checkpoint(tensors, checkpoint, nodes=nodes, seeds=seeds, row_rule=row_rule)
    if nodes is not None:
        tensors.close()
    return sampled


@contextmanager
def open_whole(checkpoint: Checkpoint, *, seed: int) -> Iterator[SampledCheckpoint]:
    """Give the whole network of a checkpoint, with each stored part by itself, open for the duration of a block."""
    tensors = checkpoint.open()
    try:
        yield _of_checkpoint(tensors, checkpoint, nodes=None, seeds=[seed], row_rule="exact")
    finally:
        tensors.close()


def _of_checkpoint(
    tensors: TensorStore, checkpoint: Checkpoint, *, nodes: int | None, seeds: Sequence[int], row_rule: str
) -> SampledCheckpoint:
    return sample_networks(
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
    return SampledCheckpoint(networks, fitted.link_names, fitted.coverage, reads)


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


def _layers(fitted: Fit, draw: Draw, *, row_rule: str) -> tuple[Layer, ...]:
    incoming = (None, *fitted.links)
    return tuple(
        Layer(row.block, row.row, _parts(row, link, units, row_rule=row_rule), whole=units.size == row.size)
        for row, link, units in zip(fitted.rows, incoming, draw.units, strict=True)
    )


def _parts(row: FittedRow, link: FittedLink | None, units: IntArray, *, row_rule: str) -> tuple[Part, ...]:
    """Return the kinds of a row.

    Neurons carry the number of the drawn unit, or the row of the tensor where heads share it; rows taken as they
    stand in a fused tensor carry its row numbers (paper).
    """
    if link is not None and link.fused and row_rule == "paper":
        return (Part(row.row, link.matrices[0].target_rows(units, row_rule=row_rule)),)
    matrices = link.by_kind if link is not None else ()
    return tuple(
        Part(kind, units if matrix is None else matrix.neurons(units))
        for kind, matrix in zip_longest(row.kinds, matrices)
    )


def _provenance(fitted: Fit, origin: Origin, *, seed: int, nodes: int | None, row_rule: str) -> Provenance:
    return Provenance(
        series=origin.series,
        step=origin.step,
        revision=origin.revision,
        architecture=fitted.architecture.name,
        architecture_hash=fitted.reading_hash,
        dtype=fitted.dtype,
        seed=seed,
        nodes=nodes,
        row_rule=row_rule,
    )
