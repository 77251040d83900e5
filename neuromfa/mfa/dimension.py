"""Node fractal dimension: how fast the mass around one neuron grows with the radius."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.mfa.distance import CountArray
from neuromfa.mfa.exponent import log_radii, slopes
from neuromfa.mfa.partition import CHUNK_ENTRIES, MassTable
from neuromfa.network import BoolArray, FloatArray, IntArray, Layer, NeuronMeasures

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class NodeDimensions:
    """Dimensions of the kept nodes.

    Attributes
    ----------
    nfd : float64 array of shape (n_kept,), slope of ln N_i(r) on ln r over the common radii; its mean is
        alpha0
    nfd_own : float64 array of shape (n_kept,), slope over the radii at which the node itself has an edge, NaN
        where it has a single one; its mean is not alpha0
    """

    nfd: FloatArray
    nfd_own: FloatArray


@dataclass(frozen=True)
class DimensionDistribution:
    """How a dimension is spread over the kept neurons of one kind of layer."""

    row: str
    n: int
    mean: float
    std: float
    quantiles: tuple[float, ...]


def node_dimensions(table: MassTable) -> NodeDimensions:
    """Return both dimensions of every kept node, some rows at a time."""
    n_rows = max(1, CHUNK_ENTRIES // table.grown.shape[1])
    starts = range(0, len(table.grown), n_rows)
    parts = [_chunk_dimensions(table.grown[start : start + n_rows], table) for start in starts]
    return NodeDimensions(
        nfd=np.concatenate([nfd for nfd, _ in parts]), nfd_own=np.concatenate([own for _, own in parts])
    )


def _chunk_dimensions(grown: CountArray, table: MassTable) -> tuple[FloatArray, FloatArray]:
    log_mass = np.log(grown[:, table.radii], dtype=np.float64)
    nfd = slopes(log_mass, radii=table.radii)
    on_fixed_grid = table.radii is not table.observed
    if on_fixed_grid:
        log_mass = np.log(grown[:, table.observed], dtype=np.float64)
    return nfd, _own_slopes(log_mass, table.observed, grown)


def _own_slopes(log_mass: FloatArray, radii: IntArray, grown: CountArray) -> FloatArray:
    """Return the slope of each row over the radii at which that row grows."""
    own = grown[:, radii] != grown[:, radii - 1]
    n_own = own.sum(axis=1)
    x = log_radii(radii)
    mean = np.einsum("nk,k->n", own, x) / n_own
    centred = np.where(own, x - mean[:, np.newaxis], 0.0)
    spread = np.einsum("nk,nk->n", centred, centred)
    slope = np.full(n_own.size, np.nan)
    np.divide(np.einsum("nk,nk->n", centred, log_mass), spread, out=slope, where=n_own > 1)
    return slope


def place_on_neurons(
    values: NodeDimensions, *, kept: BoolArray, sources: Sequence[int], layers: Sequence[Layer]
) -> NeuronMeasures:
    """Spread the dimensions of kept nodes over all neurons of a network, NaN where there is none."""
    return NeuronMeasures(
        nfd=_by_layer(values.nfd, kept, sources, layers),
        nfd_own=_by_layer(values.nfd_own, kept, sources, layers),
    )


def _by_layer(
    values: FloatArray, kept: BoolArray, sources: Sequence[int], layers: Sequence[Layer]
) -> tuple[FloatArray, ...]:
    flat = np.full(kept.size, np.nan)
    flat[kept] = values
    placed = [np.full(layer.size, np.nan) for layer in layers]
    start = 0
    for k in sources:
        placed[k] = flat[start : start + layers[k].size]
        start += layers[k].size
    return tuple(placed)


def dimension_by_row(
    dimensions: Sequence[FloatArray], *, layers: Sequence[Layer]
) -> list[DimensionDistribution]:
    """Return the distribution of a dimension over each kind of layer (row), over the neurons that have one."""
    rows = list(dict.fromkeys(layer.row for layer in layers))
    pooled = {
        row: np.concatenate(
            [values for values, layer in zip(dimensions, layers, strict=True) if layer.row == row]
        )
        for row in rows
    }
    present = {row: values[~np.isnan(values)] for row, values in pooled.items()}
    return [_distribution(row, values) for row, values in present.items() if values.size]


def _distribution(row: str, values: FloatArray) -> DimensionDistribution:
    quantiles = tuple(np.quantile(values, QUANTILES).tolist())
    return DimensionDistribution(row, values.size, float(values.mean()), float(values.std()), quantiles)
