"""Networks for tests of one-hop figures: from matrices, from distances, and simulated transformers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from neuromfa.mfa.distance import EdgeTally, RadiusCounts, graph_of
from neuromfa.network import SNIN, EdgeColumns, Layer, Link, Part, Provenance, SampleGraph

PROVENANCE = Provenance("made", 0, "r0", "made", "hash", "float64", 0, 8, "exact")
ROWS = ("input", "qkv", "attention", "dense", "mlp")


def network_of(
    matrices: Sequence[np.ndarray], *, seed: int = 0, whole: bool = False, nodes: int | None = 8
) -> SNIN:
    """A chain of layers; floats are weights (n_target, n_source), booleans are wiring."""
    sizes = [matrices[0].shape[1], *(matrix.shape[0] for matrix in matrices)]
    layers = tuple(
        Layer(k // 5, ROWS[k % 5], (Part("unit", np.arange(size)),), whole) for k, size in enumerate(sizes)
    )
    wired = tuple(matrix.dtype == np.bool_ for matrix in matrices)
    links = tuple(
        Link(f"m{k}", wiring=matrix) if matrix.dtype == np.bool_ else Link(f"m{k}", matrix)
        for k, matrix in enumerate(matrices)
    )
    return SNIN(layers, links, wired, replace(PROVENANCE, seed=seed, nodes=nodes))


def graph_of_distances(rows: Sequence[Sequence[float]]) -> SampleGraph:
    """A stored layer whose node i has these distances; rows may differ in length.

    A graph, because not every float is the reciprocal of a float.
    """
    source = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    target = np.concatenate([np.arange(len(row)) for row in rows])
    distance = np.array([d for row in rows for d in row], dtype=np.float64)
    layers = network_of([np.ones((max(target) + 1, len(rows)))]).layers
    columns = EdgeColumns(source, target, distance, np.ones(distance.size))
    return SampleGraph(layers, (columns,), (False,), np.inf, 0, "hash", PROVENANCE)


def transformer(
    *, blocks: int, nodes: int, std_in: float, std_out: float, seed: int = 0, dtype: type = np.float32
) -> SNIN:
    """A sample of a freshly initialised transformer: weights of table 1.1 drawn, nothing read."""
    draw = np.random.default_rng(seed)
    matrices: list[np.ndarray] = []
    for _ in range(blocks):
        shapes = ((3, 1, std_in), None, (1, 1, std_out), (2, 1, std_in), (1, 2, std_out))
        for shape in shapes:
            if shape is None:
                matrices.append(attention(nodes))
            else:
                n_target, n_source, std = shape[0] * nodes, shape[1] * nodes, shape[2]
                matrices.append(draw.normal(0.0, std, (n_target, n_source)).astype(dtype))
    return network_of(matrices, seed=seed, nodes=nodes)


def attention(nodes: int) -> np.ndarray:
    """Query units to their own unit, key and value units to all."""
    wiring = np.ones((nodes, 3 * nodes), dtype=np.bool_)
    wiring[:, :nodes] = np.eye(nodes, dtype=np.bool_)
    return wiring


def stored(network: SNIN, *, scale: float = 1.0, max_distance: float = 200.0) -> SampleGraph:
    """The network as a store gives it back."""
    return graph_of(network, graph_hash="hash", scale=scale, max_distance=max_distance)


def sources_of(network: SNIN) -> Iterator[list[float]]:
    """Outgoing weights of every node of the analysis, as the oracle wants them."""
    for link in network.links:
        if link.weights is not None:
            yield from link.weights.astype(np.float64).T.tolist()


def counts_of(hops: np.ndarray) -> RadiusCounts:
    """Radius counts of a graph given by whole distances between all pairs, inf where there is none."""
    n, largest = len(hops), int(hops[np.isfinite(hops)].max())
    counts = np.array(
        [[np.count_nonzero(row == radius) if radius else 0 for radius in range(largest + 1)] for row in hops]
    )
    return RadiusCounts(counts, (0,), (n,), EdgeTally(), None)
