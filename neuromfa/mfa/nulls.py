"""Null networks: what the figures would be without the arrangement, the tails or the training of weights."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, overload

import numpy as np

from neuromfa.errors import AnalysisError, NoBaseline
from neuromfa.mfa.distance import tiles
from neuromfa.network import SNIN, FloatArray, Link, WeightArray

NullKind = Literal["shuffled", "gaussian", "rescaled"]
NULL_KINDS: tuple[NullKind, ...] = ("shuffled", "gaussian", "rescaled")


def null_network(network: SNIN, kind: NullKind, *, baseline: SNIN | None = None) -> SNIN:
    """Return the network with each weight matrix replaced by its null (ours).

    Generators are ``default_rng([seed, row, null])`` with the index of the link as row and the place in
    `NULL_KINDS` as null, so any matrix can be drawn alone. Matrices are made when they are asked for.

    Parameters
    ----------
    network : the real one
    kind : ``shuffled`` permutes the entries of each matrix, ``gaussian`` draws normal(0, population std of
        the matrix), ``rescaled`` is the baseline's matrix times std(t) / std(baseline)
    baseline : the network `rescaled` starts from, with the same neurons

    Raises
    ------
    NoBaseline : `rescaled` without a baseline
    """
    if kind == "rescaled" and baseline is None:
        raise NoBaseline(
            "the null model rescaled needs the baseline's weights: name a baseline, or leave it out"
        )
    return replace(network, links=_NullLinks(network, kind, baseline))


class _NullLinks(Sequence[Link]):
    """The links of a null network, made one at a time."""

    def __init__(self, network: SNIN, kind: NullKind, baseline: SNIN | None) -> None:
        self._links, self._seed, self._kind = network.links, network.provenance.seed, kind
        self._baseline = baseline.links if baseline is not None else None

    def __len__(self) -> int:
        return len(self._links)

    @overload
    def __getitem__(self, index: int) -> Link: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Link]: ...
    def __getitem__(self, index: int | slice) -> Link | Sequence[Link]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        return self._null(self._links[row], row)

    def _null(self, link: Link, row: int) -> Link:
        if link.weights is None:
            return link
        if self._baseline is not None and self._kind == "rescaled":
            return replace(link, weights=rescaled(link.weights, baseline=_weights(self._baseline[row])))
        draw = np.random.default_rng([self._seed, row, NULL_KINDS.index(self._kind)])
        null = shuffled if self._kind == "shuffled" else gaussian
        return replace(link, weights=null(link.weights, draw))


def shuffled(weights: WeightArray, draw: np.random.Generator) -> WeightArray:
    """Return the entries of a matrix in random order: same weights, no arrangement."""
    return draw.permutation(weights.ravel()).reshape(weights.shape)


def gaussian(weights: WeightArray, draw: np.random.Generator) -> FloatArray:
    """Return normal(0, population std of the matrix): same scale, no tails."""
    spread = population_std(weights)
    if not np.isfinite(spread):
        raise AnalysisError(
            "the null model gaussian needs the spread of its weights, which is beyond float64"
        )
    return draw.normal(0.0, spread, weights.shape)


def rescaled(weights: WeightArray, *, baseline: WeightArray) -> FloatArray:
    """Return the baseline's matrix times std(t) / std(baseline): only the scale of the matrix has changed.

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
