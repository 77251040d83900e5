"""Null networks: what alpha0, width and E would be without the arrangement, the shape or the change of the weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, overload

import numpy as np

from neuromfa.errors import NoBaseline
from neuromfa.mfa.distance import Moments, source_blocks
from neuromfa.network import SNIN, FloatArray, Link, WeightArray

NullKind = Literal["shuffled", "gaussian", "rescaled"]
NULL_KINDS: tuple[NullKind, ...] = ("shuffled", "gaussian", "rescaled")


def null_network(network: SNIN, kind: NullKind, *, baseline: SNIN | None = None) -> SNIN:
    """Return the network with each weight matrix replaced by its null (ours).

    Generators are ``default_rng([seed, row, null])`` with the index of the link as row and the place in `NULL_KINDS`
    as null, so any matrix can be drawn alone. Matrices are made when they are asked for.

    Parameters
    ----------
    network : the real one
    kind : ``shuffled`` permutes the entries of each matrix, ``gaussian`` draws normal(0, population std of the
        matrix), ``rescaled`` is the baseline's matrix times std(t) / std(baseline)
    baseline : the network `rescaled` starts from, with the same neurons

    Raises
    ------
    NoBaseline : `rescaled` without a baseline
    """
    if kind == "rescaled" and baseline is None:
        raise NoBaseline("the null model rescaled needs the baseline's weights: name a baseline, or leave it out")
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
        return self._null(self._links[index], index)

    def _null(self, link: Link, row: int) -> Link:
        if link.weights is None:
            return link
        if self._baseline is not None and self._kind == "rescaled":
            weights = rescaled(link.weights, baseline=_weights(self._baseline[row]))
        else:
            draw = np.random.default_rng([self._seed, row, NULL_KINDS.index(self._kind)])
            weights = shuffled(link.weights, draw) if self._kind == "shuffled" else gaussian(link.weights, draw)
        return replace(link, weights=weights)
