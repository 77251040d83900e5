"""Real figures and those of many draws of a null, from one pass over the weights of a sample (ours).

At one hop a permutation of weights is a permutation of their radius codes, so every weight becomes a code once for each
view of the network (the asked profile, profile shape), and a draw moves the codes of all views together.
"""

from collections.abc import Mapping, Sequence
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
from neuromfa.mfa.nulls import NullKind, generator, null_network, part_by_part, shuffled
from neuromfa.mfa.shape import shaped
from neuromfa.network import SNIN, Link
from neuromfa.options import AnalysisOptions

CodeArray = npt.NDArray[np.unsignedinteger[Any]]


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
    network: SNIN, views: Sequence[AnalysisOptions], *, baseline: SNIN | None = None
) -> list[PairedSample]:
    """Return the figures of a sample and of its nulls in every view.

    Nulls that move weights about are drawn `options.null_draws` times, `gaussian` and `rescaled` once; `rewired` only
    where paths have more than one hop, since at one hop it changes nothing. A draw moves weights alike in all views.

    Parameters
    ----------
    network : the sample
    views : options that differ in profile alone, two at most
    baseline : the network `rescaled` starts from; without it that null is left out
    """
    found = _walked(network, views) if views[0].hops == "multi" else _moved(network, views)
    single: tuple[NullKind, ...] = ("gaussian",) if baseline is None else ("gaussian", "rescaled")
    for (_, nulls), view in zip(found, views, strict=True):
        for kind in single:
            null = null_network(network, kind, baseline=baseline)
            nulls[kind] = (_drawn(null, view, scale_of=network),)
    return [PairedSample(network.provenance.seed, real, nulls) for real, nulls in found]


Found = list[tuple[Draw, dict[NullKind, tuple[Draw, ...]]]]


def _walked(network: SNIN, views: Sequence[AnalysisOptions]) -> Found:
    """Return the real figures and the draws where masses count paths, which no permutation of codes gives."""
    kinds: tuple[NullKind, ...] = ("shuffled", "rewired")
    return [
        (
            _drawn(network, view, scale_of=network),
            {
                kind: tuple(
                    _drawn(null_network(network, kind, number=r), view, scale_of=network)
                    for r in range(view.null_draws)
                )
                for kind in kinds
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


def _moved(network: SNIN, views: Sequence[AnalysisOptions]) -> Found:
    """Return the real figures and the draws at one hop."""
    tables = _count_draws(network, views, n_draws=views[0].null_draws)
    found: Found = []
    for view, (real, *draws) in zip(views, tables, strict=True):
        figures = tuple(_figures(counts, network, view) for counts in draws)
        found.append((_figures(real, network, view), {"shuffled": figures}))
    return found


def _count_draws(
    network: SNIN, views: Sequence[AnalysisOptions], *, n_draws: int
) -> list[list[RadiusCounts]]:
    """Count targets by radius in the real network and in every draw of `shuffled`; each link is taken once.

    Returns
    -------
    tables : for each view the counts of the real network and then of the draws
    """
    rules = [range_rule(view) for view in views]
    tables = [[_empty(network, rule) for _ in range(1 + n_draws)] for rule in rules]
    start = 0
    for row, link in enumerate(network.links):
        if link.weights is None:
            continue
        codes = _pack([_codes(link, view, rule) for view, rule in zip(views, rules, strict=True)])
        rows = slice(start, start + link.weights.shape[1])
        for number in range(1 + n_draws):
            moved = codes if number == 0 else _move(codes, link, network.provenance.seed, row, number - 1)
            for own, one in zip(tables, _unpack(moved, len(views)), strict=True):
                own[number].counts[rows] = _count_codes(one, own[number].counts.shape[1])
        start = rows.stop
    return tables


def _empty(network: SNIN, rule: RangeRule) -> RadiusCounts:
    layers, sizes, counts = empty_counts(network.layers, network.artificial, rule)
    return RadiusCounts(counts, layers, sizes, EdgeTally(), None)


def _codes(link: Link, view: AnalysisOptions, rule: RangeRule) -> CodeArray:
    """Return the radius of every edge of a link, 0 where it is out of range; shape (n_target, n_source)."""
    weights = (shaped(link, scale_of=link) if view.profile == "shape" else link).weights
    assert weights is not None
    radii = edge_radii(edge_distances(weights, scale=view.scale), rule)
    radii *= radii <= rule.largest_radius
    return radii.astype(np.min_scalar_type(rule.largest_radius))


def _pack(codes: Sequence[CodeArray]) -> CodeArray:
    """Return the codes of all views as one number an edge."""
    if len(codes) == 1:
        return codes[0]
    dtype = np.result_type(*codes)
    stacked = np.stack([one.astype(dtype, copy=False) for one in codes], axis=-1)
    packed: CodeArray = stacked.view(f"u{dtype.itemsize * len(codes)}")[..., 0]
    return packed


def _unpack(packed: CodeArray, n_views: int) -> list[CodeArray]:
    """Return the codes of every view, the inverse of `_pack`."""
    if n_views == 1:
        return [packed]
    each = np.ascontiguousarray(packed)[..., np.newaxis].view(f"u{packed.dtype.itemsize // n_views}")
    return [each[..., k] for k in range(n_views)]


def _move(codes: CodeArray, link: Link, seed: int, row: int, number: int) -> CodeArray:
    draw = generator(seed, row, "shuffled", number)
    moved: CodeArray = part_by_part(link.parts, codes, lambda part, _: shuffled(part, draw))
    return moved


def _count_codes(codes: CodeArray, width: int) -> npt.NDArray[np.int64]:
    """Return how many targets each source has at each radius, shape (n_source, width)."""
    n_source = codes.shape[1]
    cells = codes.astype(np.int64)
    cells += np.arange(n_source) * width
    counts = np.bincount(cells.ravel(), minlength=n_source * width).reshape(n_source, width)
    counts[:, 0] = 0
    return counts
