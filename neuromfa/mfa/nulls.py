"""Null networks: what the figures would be without the arrangement, the tails or the training of weights."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from neuromfa.errors import AnalysisError, NoBaseline
from neuromfa.mfa.distance import tiles
from neuromfa.network import SNIN, DerivedLinks, FloatArray, IntArray, Link, StoredPart, WeightArray

NullKind = Literal["shuffled", "gaussian", "rescaled", "rewired"]
NULL_KINDS: tuple[NullKind, ...] = ("shuffled", "gaussian", "rescaled", "rewired")
PERMUTED: tuple[NullKind, ...] = ("shuffled", "rewired")
"""Nulls that move the weights about: they have as many draws as one likes, and an excess."""

Entries = npt.NDArray[Any]


def null_network(network: SNIN, kind: NullKind, *, baseline: SNIN | None = None, number: int = 0) -> SNIN:
    """Return the network with each stored part of each weight matrix replaced by its null (ours).

    Matrices are made when they are asked for; `generator` says from which stream.

    Parameters
    ----------
    network : the real one
    kind : ``shuffled`` permutes the entries of a part, ``rewired`` those of each source among its targets,
        ``gaussian`` draws normal(0, population std of the part), ``rescaled`` is the baseline's part times
        std(t) / std(baseline)
    baseline : the network `rescaled` starts from, with the same neurons
    number : which draw

    Raises
    ------
    NoBaseline : `rescaled` without a baseline
    """
    if kind == "rescaled" and baseline is None:
        raise NoBaseline(
            "the null model rescaled needs the baseline's weights: name a baseline, or leave it out"
        )
    starts = baseline.links if baseline is not None and kind == "rescaled" else None

    def null(row: int, link: Link) -> Link:
        if link.weights is None:
            return link
        if starts is not None:
            return _rescaled_link(link, _weights(starts[row]))
        draw, null_of = generator(network.provenance.seed, row, kind, number), _DRAWN[kind]
        return replace(
            link, weights=part_by_part(link.parts, link.weights, lambda part, _: null_of(part, draw))
        )

    return replace(network, links=DerivedLinks(network.links, null))


def _rescaled_link(link: Link, start: WeightArray) -> Link:
    assert link.weights is not None
    weights = part_by_part(link.parts, link.weights, lambda part, rows: rescaled(part, baseline=start[rows]))
    return replace(link, weights=weights)


def generator(seed: int, row: int, kind: NullKind, number: int) -> np.random.Generator:
    """Return the stream of one draw of one link, so that any matrix can be drawn alone.

    Parameters
    ----------
    seed : of the sample
    row : index of the link
    number : of the draw; the first is ``[seed, row, null]``, the others have their number behind it
    """
    place = [seed, row, NULL_KINDS.index(kind)]
    return np.random.default_rng([*place, number] if number else place)


def part_by_part(
    parts: Sequence[StoredPart], entries: Entries, null: Callable[[Entries, slice | IntArray], Entries]
) -> Entries:
    """Return an array of the shape of `entries`, (n_target, n_source), with `null(entries, rows)` of every part."""
    made = [null(entries[part.rows], part.rows) for part in parts]
    if len(made) == 1:
        return made[0]
    whole = np.empty(entries.shape, dtype=made[0].dtype)
    for part, values in zip(parts, made, strict=True):
        whole[part.rows] = values
    return whole


def shuffled(entries: Entries, draw: np.random.Generator) -> Entries:
    """Return the entries of a part in random order: same weights, no arrangement.

    The order does not depend on what the entries are, so weights and radius codes move alike.
    """
    moved: Entries = draw.permutation(entries.ravel()).reshape(entries.shape)
    return moved


def rewired(entries: Entries, draw: np.random.Generator) -> Entries:
    """Return the entries of every source (column) in random order: same neurons, other targets."""
    moved: Entries = draw.permuted(entries, axis=0)
    return moved


def gaussian(weights: WeightArray, draw: np.random.Generator) -> FloatArray:
    """Return normal(0, population std of the part): same scale, no tails."""
    spread = population_std(weights)
    if not np.isfinite(spread):
        raise AnalysisError(
            "the null model gaussian needs the spread of its weights, which is beyond float64"
        )
    return draw.normal(0.0, spread, weights.shape)


_DRAWN = {"shuffled": shuffled, "rewired": rewired, "gaussian": gaussian}


def rescaled(weights: WeightArray, *, baseline: WeightArray) -> FloatArray:
    """Return the baseline's part times std(t) / std(baseline): only the scale of the part has changed.

    A baseline without spread has no scale to change and is returned as it is.
    """
    spread = population_std(baseline)
    factor = population_std(weights) / spread if spread > 0.0 else 1.0
    return baseline.astype(np.float64) * factor


def population_std(weights: WeightArray) -> float:
    """Return the standard deviation (divisor n) of the finite entries, 0 without any, tile by tile."""
    total, count = 0.0, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for _, tile in tiles(weights):
            values = _finite(tile)
            total, count = total + float(np.sum(values)), count + values.size
        mean = total / max(count, 1)
        squares = (float(np.sum(np.square(_finite(tile) - mean))) for _, tile in tiles(weights))
        return float(np.sqrt(sum(squares) / max(count, 1)))


def _finite(tile: WeightArray) -> FloatArray:
    values = tile.astype(np.float64)
    finite = np.isfinite(values)
    return values if finite.all() else values[finite]


def _weights(link: Link) -> WeightArray:
    if link.weights is None:
        raise NoBaseline(f"the baseline has no weights at {link.matrix}: it is of another architecture")
    return link.weights
