"""Multi-hop NeuroMFA (ours): at which radii neurons reach others along paths, for the same box growing."""

from collections.abc import Sequence

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.distance import (
    LARGEST_TABLE,
    CountArray,
    EdgeTally,
    Moments,
    RadiusCounts,
    RangeRule,
    second_moment,
    tally_edges,
    tiles,
)
from neuromfa.mfa.minplus import link_steps, sweep
from neuromfa.mfa.products import Engine, products_of
from neuromfa.network import SNIN, FloatArray, IntArray, Layer, SampleGraph, WeightArray

# Layers that hold sources, counted from the end: two blocks of a transformer. Balls that start there are
# cut off by the end of the network, which would move alpha0 with depth. (The output layer is no source
# and is not counted.)
TRUNCATED_ROWS = 10


class _Ledger:
    """What became of the weighted edges, taken down while they pass."""

    def __init__(self, rule: RangeRule, beyond: int) -> None:
        self.rule, self.tally, self.moments = rule, EdgeTally(beyond_range=beyond), Moments()

    def __call__(self, weights: WeightArray, distances: FloatArray) -> None:
        self.tally = self.tally + tally_edges(weights, distances, self.rule)
        for _, tile in tiles(np.atleast_2d(weights)):
            self.moments = self.moments + second_moment(tile)


def radius_histogram(
    network: SNIN | SampleGraph,
    *,
    gamma: float,
    rule: RangeRule,
    scale: float = 1.0,
    rescale: float = 1.0,
    horizon: int | None = None,
    engine: Engine = "auto",
) -> RadiusCounts:
    """Count the neurons that every source reaches along paths, by radius max(1, round(d(P))), d(P) <= T.

    Sources are the nodes of the analysis, which start on a weighted edge, so the path to any target holds
    one. The last 10 rows of the network, or those that a horizon looks beyond, are left out as sources, but never the
    first block's.

    Parameters
    ----------
    network : each link is taken once, in order; memory holds the sources still on their way
    gamma : cost of every hop after the first
    rule : T and the unit of rounding; profile exact has no lower cut
    scale, rescale : lambda, and the factor on weighted distances in the scale-matched reading
    horizon : targets lie within this many layers (Algorithm 6); None for no such limit
    engine : see `minplus.layer_distances`

    Returns
    -------
    counts : int32 rows in the order of layers and positions; `tally` speaks of all weighted edges, `rms` is
        None for a stored graph, `dropped_last_rows` counts the neurons left out

    Raises
    ------
    OptionError : the table would be too large, or the stored graph holds too few edges
    """
    layers = source_layers(network.layers, artificial=network.artificial, horizon=horizon)
    sizes = tuple(network.layers[k].size for k in layers)
    counts, row_of = _zeros(sum(sizes), 1 + rule.largest_radius), _rows(network.layers, layers)
    ledger = _Ledger(rule, network.beyond if isinstance(network, SampleGraph) else 0)
    steps = link_steps(network, scale=scale, max_distance=rule.longest, rescale=rescale, watch=ledger)
    products = products_of(engine)
    for reached in sweep(
        steps, gamma=gamma, longest=rule.longest, horizon=horizon, sources=layers, engine=engine
    ):
        products.count(reached.distances, row_of[reached.sources], unit=rule.unit, counts=counts)
    rms = ledger.moments.root if isinstance(network, SNIN) else None
    return RadiusCounts(counts, layers, sizes, ledger.tally, rms, _nodes_of_analysis(network) - sum(sizes))


def source_layers(
    layers: Sequence[Layer], *, artificial: Sequence[bool], horizon: int | None = None
) -> tuple[int, ...]:
    """Return the layers of sources: those with weights, without the last ones beyond the first block.

    These are 10, or as many as a horizon cuts off: all that have fewer layers ahead than it reaches.
    """
    cut = TRUNCATED_ROWS if horizon is None else min(TRUNCATED_ROWS, horizon - 1)
    last = len(artificial) - cut
    first_block = layers[0].block
    return tuple(
        k
        for k, wiring in enumerate(artificial)
        if not wiring and (k < last or layers[k].block == first_block)
    )


def _nodes_of_analysis(network: SNIN | SampleGraph) -> int:
    return sum(network.layers[k].size for k, wiring in enumerate(network.artificial) if not wiring)


def _rows(layers: Sequence[Layer], sources: Sequence[int]) -> IntArray:
    """Return the row in the table of every source, by its number in the network; no other neuron has one."""
    is_source = np.repeat([k in sources for k in range(len(layers))], [layer.size for layer in layers])
    return np.cumsum(is_source) - 1


def _zeros(n_rows: int, n_columns: int) -> CountArray:
    dtype = np.dtype(np.int32)
    if n_rows * n_columns * dtype.itemsize > LARGEST_TABLE:
        raise OptionError(
            f"{n_rows} neurons x {n_columns} radii do not fit the {LARGEST_TABLE >> 30} GB allowed for their "
            "masses: lower max_distance or nodes"
        )
    return np.zeros((n_rows, n_columns), dtype=dtype)
