"""Real figures and those of many draws of a null, from one pass over the weights of a sample (ours).

At one hop a permutation of weights is a permutation of their radius codes, so every weight becomes a code once for each
view of the network (the asked profile, profile shape), and a draw moves the codes of all views together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromfa.errors import AnalysisError
from neuromfa.mfa.distance import (
    EdgeTally,
    RadiusCounts,
    RangeRule,
    edge_distances,
    edge_radii,
    empty_counts,
    range_rule,
)
from neuromfa.mfa.figures import Figures, figures_of
from neuromfa.mfa.measure import radius_counts
from neuromfa.mfa.nulls import NULL_KINDS, PERMUTED, NullKind, generator, null_network, part_by_part, shuffled
from neuromfa.mfa.shape import part_scales, shaped_weights
from neuromfa.network import SNIN, Link
from neuromfa.options import AnalysisOptions

CodeArray = npt.NDArray[np.unsignedinteger[Any]]

# Weights become codes in blocks of about this many, so that whole matrices never stand in float64.
BLOCK_ENTRIES = 2**20
# Tables of so many bytes stand side by side; an entry has two bytes nearly always.
MOST_BYTES = 2**28
BYTES_A_COUNT = 2


@dataclass(frozen=True)
class Draw:
    """One draw of a null; `figures` is None where it has none, and `reason` says why."""

    figures: Figures | None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class PairedSample:
    """What one sample gives in one view.

    Attributes
    ----------
    seed : of the sample
    real : its own figures
    nulls : draws by null
    """

    seed: int
    real: Draw
    nulls: Mapping[NullKind, tuple[Draw, ...]]


def paired_samples(
    network: SNIN,
    views: Sequence[AnalysisOptions],
    *,
    baseline: SNIN | None = None,
    kinds: Sequence[NullKind] = NULL_KINDS,
) -> list[PairedSample]:
    """Return the figures of a sample and of its nulls in every view.

    Nulls that move weights about are drawn `options.null_draws` times, `gaussian` and `rescaled` once; `rewired` only
    where paths have more than one hop, since at one hop it changes nothing. A draw moves weights alike in all views.

    Parameters
    ----------
    network : the sample
    views : options that differ in profile alone, two at most
    baseline : the network `rescaled` starts from; without it that null is left out
    kinds : nulls wanted
    """
    multi = views[0].over_paths
    left_out = {"rescaled" if baseline is None else None, None if multi else "rewired"}
    wanted = {kind: views[0].null_draws if kind in PERMUTED else 1 for kind in kinds if kind not in left_out}
    found = (_walked if multi else _counted)(network, views, wanted, baseline)
    return [PairedSample(network.provenance.seed, real, nulls) for real, nulls in found]


Wanted = Mapping[NullKind, int]
"""How many draws of which null."""
Found = list[tuple[Draw, dict[NullKind, tuple[Draw, ...]]]]


def _walked(network: SNIN, views: Sequence[AnalysisOptions], wanted: Wanted, baseline: SNIN | None) -> Found:
    """Return real figures and draws where masses count paths, which no permutation of codes gives."""
    return [
        (
            _drawn(network, view, scale_of=network),
            {
                kind: tuple(
                    _drawn(null_network(network, kind, baseline=baseline, number=r), view, scale_of=network)
                    for r in range(n_draws)
                )
                for kind, n_draws in wanted.items()
            },
        )
        for view in views
    ]


def _drawn(network: SNIN, view: AnalysisOptions, *, scale_of: SNIN) -> Draw:
    try:
        counts = radius_counts(network, view, scale_of=scale_of)
    except AnalysisError as absent:
        return Draw(None, str(absent))
    return _figures(counts, network, view)


def _figures(counts: RadiusCounts, network: SNIN, view: AnalysisOptions) -> Draw:
    try:
        return Draw(figures_of(counts, layers=network.layers, options=view))
    except AnalysisError as absent:
        return Draw(None, str(absent))


def _counted(network: SNIN, views: Sequence[AnalysisOptions], wanted: Wanted, baseline: SNIN | None) -> Found:
    """Return real figures and draws at one hop, from radius codes.

    Each link is taken once, or several times where the tables of all draws would fill the memory.
    """
    draws = [(kind, number) for kind, n_draws in wanted.items() for number in range(n_draws)]
    at_once = _draws_at_once(network, views)
    found: Found = [(Draw(None), {}) for _ in views]
    for start in range(0, len(draws), at_once) or (0,):
        real, tables = _count_pass(network, views, draws[start : start + at_once], baseline)
        for k, view in enumerate(views):
            nulls = found[k][1]
            for (kind, _), table in tables.items():
                nulls[kind] = (*nulls.get(kind, ()), _figures(table[k], network, view))
            if start == 0:
                found[k] = (_figures(real[k], network, view), nulls)
    return found


def _draws_at_once(network: SNIN, views: Sequence[AnalysisOptions]) -> int:
    """Return of how many draws the tables fit into `MOST_BYTES`, at least one."""
    n_sources = sum(network.layers[k].size for k in network.source_layers)
    cells = sum(n_sources * (1 + range_rule(view).largest_radius) for view in views)
    return max(1, MOST_BYTES // (BYTES_A_COUNT * max(cells, 1)))


def _count_pass(
    network: SNIN,
    views: Sequence[AnalysisOptions],
    draws: Sequence[tuple[NullKind, int]],
    baseline: SNIN | None,
) -> tuple[list[RadiusCounts], dict[tuple[NullKind, int], list[RadiusCounts]]]:
    """Count targets by radius in the real network and in some draws, one table a view."""
    rules = [range_rule(view) for view in views]
    real = [_empty(network, rule) for rule in rules]
    tables = {draw: [_empty(network, rule) for rule in rules] for draw in draws}
    single = {
        kind: null_network(network, kind, baseline=baseline).links
        for kind, _ in draws
        if kind not in PERMUTED
    }
    start = 0
    for row, link in enumerate(network.links):
        if link.weights is None:
            continue
        codes = radius_codes(link, link, views, rules)
        rows = slice(start, start + link.weights.shape[1])
        _count_into(real, rows, codes)
        for (kind, number), table in tables.items():
            if kind in single:
                drawn = radius_codes(single[kind][row], link, views, rules)
            else:
                drawn = _moved(codes, link, generator(network.provenance.seed, row, kind, number))
            _count_into(table, rows, drawn)
        start = rows.stop
    return real, tables


def _empty(network: SNIN, rule: RangeRule) -> RadiusCounts:
    layers, sizes, counts = empty_counts(network.layers, network.artificial, rule)
    return RadiusCounts(counts, layers, sizes, EdgeTally(), None)


def radius_codes(
    link: Link, scale_of: Link, views: Sequence[AnalysisOptions], rules: Sequence[RangeRule]
) -> CodeArray:
    """Return the radius of every edge of a link in every view, 0 where it is out of range.

    Returns
    -------
    codes : shape (n_target, n_source, n_views), in the smallest dtype that holds all
    """
    largest = max(rule.largest_radius for rule in rules)
    assert link.weights is not None
    codes = np.empty((*link.weights.shape, len(views)), np.min_scalar_type(largest))
    for sources in _source_blocks(link.weights.shape):
        weights = link.weights[:, sources]
        for k, (view, rule) in enumerate(zip(views, rules, strict=True)):
            if view.profile == "shape":
                weights = shaped_weights(link.weights[:, sources], link.parts, part_scales(scale_of))
            radii = edge_radii(edge_distances(weights, scale=view.scale), rule)
            radii *= radii <= rule.largest_radius
            codes[:, sources, k] = radii
    return codes


def _source_blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield the sources of a matrix (n_target, n_source) in blocks whose float64 arrays are some MB at most."""
    n_target, n_source = shape[:2]
    width = max(1, BLOCK_ENTRIES // max(n_target, 1))
    return (slice(left, min(left + width, n_source)) for left in range(0, n_source, width))


def _moved(codes: CodeArray, link: Link, draw: np.random.Generator) -> CodeArray:
    """Return the codes of a draw of `shuffled`: those of all views move together, as one number an edge."""
    n_views = codes.shape[-1]
    packed = codes.view(f"u{codes.itemsize * n_views}")[..., 0]
    moved = part_by_part(link.parts, packed, lambda part, _: shuffled(part, draw))
    unpacked: CodeArray = moved[..., np.newaxis].view(codes.dtype)
    return unpacked


def _count_into(tables: Sequence[RadiusCounts], rows: slice, codes: CodeArray) -> None:
    """Count how many targets each source of a link has at each radius, into `rows` of the table of every view."""
    for sources in _source_blocks(codes.shape):
        n_source = sources.stop - sources.start
        for k, table in enumerate(tables):
            width = table.counts.shape[1]
            cells = np.add(codes[:, sources, k], np.arange(n_source) * width, dtype=np.int64)
            counts = np.bincount(cells.ravel(), minlength=n_source * width).reshape(n_source, width)
            counts[:, 0] = 0
            table.counts[rows.start + sources.start : rows.start + sources.stop] = counts
