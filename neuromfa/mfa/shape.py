"""Profile shape (ours): every stored part at one scale, so that growth of the weights moves no number.

A part is divided by the standard deviation that its median |w| would have if it were normal, and then given the
deviation 1/40: distances of typical weights lie inside the fixed grid 20..150. The median, unlike the root mean square,
does not follow single large weights.
"""

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np

from neuromfa.network import SNIN, DerivedLinks, FloatArray, Link, StoredPart, WeightArray

DEVIATION = 1.0 / 40.0
"""Standard deviation of a normal part in this profile."""
MEDIAN_OF_NORMAL = 0.6745
"""Median |w| of a normal part of deviation 1."""


def in_shape(network: SNIN, *, scale_of: SNIN | None = None) -> SNIN:
    """Return the network with each stored part at deviation 1/40, in float64; matrices are made when asked for.

    Parameters
    ----------
    scale_of : the network whose parts give the scales, for a null the real one; the network itself by default
    """
    scales = (scale_of or network).links
    return replace(
        network, links=DerivedLinks(network.links, lambda row, link: shaped(link, scale_of=scales[row]))
    )


def part_scale(weights: WeightArray) -> float:
    """Return median|w| / .6745 of the finite non-zero entries; 1 where there are none, which are no edges anyway."""
    sizes = np.abs(weights.astype(np.float64))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0.0)]
    return float(np.median(sizes, overwrite_input=True)) / MEDIAN_OF_NORMAL if sizes.size else 1.0


def shaped(link: Link, *, scale_of: Link) -> Link:
    """Return one link with each stored part at deviation 1/40, by the scales of the parts of `scale_of`."""
    if link.weights is None or scale_of.weights is None:
        return link
    return replace(link, weights=shaped_weights(link.weights, link.parts, part_scales(scale_of)))


def shaped_weights(weights: WeightArray, parts: Sequence[StoredPart], scales: Sequence[float]) -> FloatArray:
    """Return weights of some sources, (n_target, n), with each part divided by its scale and times 1/40."""
    found: FloatArray = weights.astype(np.float64)
    with np.errstate(over="ignore"):
        for part, scale in zip(parts, scales, strict=True):
            found[part.rows] = found[part.rows] / scale * DEVIATION
    return found


def part_scales(link: Link) -> tuple[float, ...]:
    """Return the scale of every stored part of a link, found once as long as the link lives: medians are slow."""
    if link not in _SCALES:
        assert link.weights is not None
        _SCALES[link] = tuple(part_scale(link.weights[part.rows]) for part in link.parts)
    return _SCALES[link]


_SCALES: WeakKeyDictionary[Link, tuple[float, ...]] = WeakKeyDictionary()
