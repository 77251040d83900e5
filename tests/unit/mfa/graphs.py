"""Tiny named graphs with answers worked out by hand, builders of others, and an oracle of path distances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa.mfa.paths import PathGraph, graph_of_edges
from neuromfa.network import SNIN, EdgeColumns, Layer, Link, Part, Provenance, SampleGraph

INF = np.inf

PROVENANCE = Provenance("made", 0, "r0", "made", "hash", "float64", 0, 4, "exact")


def layers_of(sizes: Sequence[int], *, per_block: int = 5) -> tuple[Layer, ...]:
    """Layers of these sizes, `per_block` to a block."""
    return tuple(
        Layer(k // per_block, f"row{k % per_block}", (Part("unit", np.arange(size)),))
        for k, size in enumerate(sizes)
    )


def network_of(matrices: Sequence[np.ndarray], *, per_block: int = 5) -> SNIN:
    """A network from matrices (n_target, n_source): floats are weights, booleans are wiring."""
    sizes = [matrices[0].shape[1], *(matrix.shape[0] for matrix in matrices)]
    wired = [matrix.dtype == np.bool_ for matrix in matrices]
    links = tuple(
        Link(f"link{k}", wiring=matrix) if wired[k] else Link(f"link{k}", matrix)
        for k, matrix in enumerate(matrices)
    )
    return SNIN(layers_of(sizes, per_block=per_block), links, tuple(wired), PROVENANCE)


def graph_of(
    distances: Sequence[np.ndarray], artificial: Sequence[bool], *, max_distance: float = INF, beyond: int = 0
) -> SampleGraph:
    """A stored graph from distances (n_source, n_target), inf = no edge; artificial edges have 1."""
    sizes = [distances[0].shape[0], *(matrix.shape[1] for matrix in distances)]
    edges = []
    for matrix, wired in zip(distances, artificial, strict=True):
        source, target = np.nonzero((matrix < INF) & (matrix <= max_distance))
        distance = matrix[source, target]
        weight = np.full(distance.size, np.nan) if wired else 1.0 / distance
        edges.append(EdgeColumns(source, target, distance, weight))
    return SampleGraph(
        layers_of(sizes), tuple(edges), tuple(artificial), max_distance, beyond, "hash", PROVENANCE
    )


def attention(size: int) -> np.ndarray:
    """Wiring of attention: queries to their own unit, keys and values to all."""
    wiring = np.zeros((size, 3 * size), dtype=np.bool_)
    wiring[:, size:] = True
    wiring[np.arange(size), np.arange(size)] = True
    return wiring


def transformer(n_blocks: int, size: int, std: float, seed: int) -> SNIN:
    """A network of the shape of table 1.1 with normal weights."""
    draw = np.random.default_rng(seed)
    matrices = []
    for _ in range(n_blocks):
        matrices += [
            draw.normal(0, std, (3 * size, size)),
            attention(size),
            draw.normal(0, std, (size, size)),
            draw.normal(0, std, (2 * size, size)),
            draw.normal(0, std, (size, 2 * size)),
        ]
    return network_of(matrices)


@dataclass(frozen=True, eq=False)
class Named:
    """A layered graph, its options, and the distance of every pair of neurons that has a path within the cut.

    Neurons are numbered layer after layer.
    """

    name: str
    distances: tuple[np.ndarray, ...]
    artificial: tuple[bool, ...]
    gamma: float
    cut: float
    directed: dict[tuple[int, int], float]
    undirected: dict[tuple[int, int], float]
    path: tuple[int, ...]

    @property
    def graph(self) -> SampleGraph:
        return graph_of(self.distances, self.artificial)


# 0 -2-> 1 -3-> 2
CHAIN = Named(
    "chain",
    (np.array([[2.0]]), np.array([[3.0]])),
    (False, False),
    gamma=5.0,
    cut=150.0,
    directed={(0, 1): 2.0, (1, 2): 3.0, (0, 2): 10.0},
    undirected={(0, 1): 2.0, (1, 2): 3.0, (0, 2): 10.0},
    path=(0, 1, 2),
)

# 0 -4-> 1 -4-> 3 and 0 -1-> 2 -8-> 3: 0 to 3 is 4+2+4 = 10 one way and 1+2+8 = 11 the other.
DIAMOND = Named(
    "diamond",
    (np.array([[4.0, 1.0]]), np.array([[4.0], [8.0]])),
    (False, False),
    gamma=2.0,
    cut=150.0,
    directed={(0, 1): 4.0, (0, 2): 1.0, (1, 3): 4.0, (2, 3): 8.0, (0, 3): 10.0},
    undirected={(0, 1): 4.0, (0, 2): 1.0, (1, 3): 4.0, (2, 3): 8.0, (0, 3): 10.0, (1, 2): 7.0},
    path=(0, 1, 3),
)

# 64 + 5 + 64 = 133 is the cut: a path of just that length counts, one of 64 + 5 + 65 does not.
EDGE_OF_RANGE = Named(
    "edge of range",
    (np.array([[64.0]]), np.array([[64.0, 65.0]])),
    (False, False),
    gamma=5.0,
    cut=133.0,
    directed={(0, 1): 64.0, (1, 2): 64.0, (1, 3): 65.0, (0, 2): 133.0},
    undirected={(0, 1): 64.0, (1, 2): 64.0, (1, 3): 65.0, (0, 2): 133.0},
    path=(0, 1, 2),
)

# One input, two qkv rows wired to two attention units, one output. Unit 3 hears both rows, unit 4 only row 2.
# 0 -10-> 1, 0 -20-> 2 | 1 ~ 3, 2 ~ 3, 2 ~ 4 | 3 -7-> 5, 4 -1-> 5
# 0 to 3: 10+5+1 = 16; 0 to 4: 20+5+1 = 26; 0 to 5: 16+5+7 = 28 and 26+5+1 = 32.
WIRED = Named(
    "wired",
    (np.array([[10.0, 20.0]]), np.array([[1.0, INF], [1.0, 1.0]]), np.array([[7.0], [1.0]])),
    (False, True, False),
    gamma=5.0,
    cut=150.0,
    directed={
        (0, 1): 10.0,
        (0, 2): 20.0,
        (1, 3): 1.0,
        (2, 3): 1.0,
        (2, 4): 1.0,
        (3, 5): 7.0,
        (4, 5): 1.0,
        (0, 3): 16.0,
        (0, 4): 26.0,
        (1, 5): 13.0,
        (2, 5): 7.0,
        (0, 5): 28.0,
    },
    # 0 to 2 could go 0 1 3 2, 10 + 5+1 + 5+1 = 22, but 20 is shorter.
    undirected={
        (0, 1): 10.0,
        (0, 2): 20.0,
        (1, 3): 1.0,
        (2, 3): 1.0,
        (2, 4): 1.0,
        (3, 5): 7.0,
        (4, 5): 1.0,
        (0, 3): 16.0,
        (0, 4): 26.0,
        (1, 5): 13.0,
        (2, 5): 7.0,
        (0, 5): 28.0,
        (1, 2): 7.0,
        (1, 4): 13.0,
        (3, 4): 7.0,
    },
    path=(0, 1, 3, 5),
)

# A dead end, an edge beyond the cut, and a neuron without edges.
SPARSE = Named(
    "sparse",
    (np.array([[3.0, INF], [INF, 151.0]]), np.array([[INF, 4.0, INF], [2.0, INF, INF]])),
    (False, False),
    gamma=0.0,
    cut=150.0,
    directed={(0, 2): 3.0, (2, 5): 4.0, (3, 4): 2.0, (0, 5): 7.0},
    undirected={(0, 2): 3.0, (2, 5): 4.0, (3, 4): 2.0, (0, 5): 7.0},
    path=(0, 2, 5),
)

NAMED = (CHAIN, DIAMOND, EDGE_OF_RANGE, WIRED, SPARSE)


def table_of(named: Named, *, undirected: bool) -> np.ndarray:
    """The hand-computed distances as a matrix, 0 on the diagonal, inf where there is no path."""
    pairs = named.undirected if undirected else named.directed
    n = sum(layer.size for layer in named.graph.layers)
    table = np.full((n, n), INF)
    np.fill_diagonal(table, 0.0)
    for (source, target), distance in pairs.items():
        table[source, target] = distance
        if undirected:
            table[target, source] = distance
    return table


def oracle(
    graph: SampleGraph, *, gamma: float, cut: float, undirected: bool = False, horizon: int | None = None
) -> np.ndarray:
    """Path distances by walking every simple path: slow, and a literal transcription of d(P)."""
    starts = np.cumsum([0, *(layer.size for layer in graph.layers)]).tolist()
    layer_of = np.repeat(np.arange(len(graph.layers)), np.diff(starts)).tolist()
    out: dict[int, list[tuple[int, float]]] = {v: [] for v in range(starts[-1])}
    for k, columns in enumerate(graph.edges):
        for s, t, d in zip(
            columns.source.tolist(), columns.target.tolist(), columns.distance.tolist(), strict=True
        ):
            if d <= cut:
                out[starts[k] + s].append((starts[k + 1] + t, d))
                if undirected:
                    out[starts[k + 1] + t].append((starts[k] + s, d))
    table = np.full((starts[-1], starts[-1]), INF)

    def walk(source: int, node: int, length: float, seen: frozenset[int]) -> None:
        table[source, node] = min(table[source, node], length)
        for after, d in out[node]:
            total = (length + gamma) + d if len(seen) > 1 else d
            near = horizon is None or abs(layer_of[after] - layer_of[source]) <= horizon
            if after not in seen and near and total <= cut:
                walk(source, after, total, seen | {after})

    for source in range(starts[-1]):
        walk(source, source, 0.0, frozenset([source]))
    return table


def path_of(n: int) -> PathGraph:
    """Nodes 0 - 1 - ... - n-1 in a line, hop distance."""
    return graph_of_edges(np.arange(n - 1), np.arange(1, n), np.ones(n - 1), n=n)


def ring_of(n: int) -> PathGraph:
    """n nodes in a ring, hop distance: 2r + 1 nodes within r."""
    return graph_of_edges(np.arange(n), (np.arange(n) + 1) % n, np.ones(n), n=n)


def flower(u: int, v: int, generation: int) -> PathGraph:
    """The (u,v)-flower: every edge of a generation becomes two paths, of u and of v edges."""
    edges, n = [(0, 1)], 2
    for _ in range(generation):
        grown = []
        for head, tail in edges:
            for length in (u, v):
                nodes = [head, *range(n, n + length - 1), tail]
                n += length - 1
                grown += list(zip(nodes, nodes[1:], strict=False))
        edges = grown
    ends = np.array(edges)
    return graph_of_edges(ends[:, 0], ends[:, 1], np.ones(len(edges)), n=n)


def flower_size(u: int, v: int, generation: int) -> int:
    """N_n = ((w - 2) w^n + w) / (w - 1), w = u + v."""
    w = u + v
    return ((w - 2) * w**generation + w) // (w - 1)


def complete(n: int, *, distance: float = 1.0) -> PathGraph:
    """Every two of n nodes joined by an edge of one distance."""
    source, target = np.triu_indices(n, k=1)
    return graph_of_edges(source, target, np.full(source.size, distance), n=n)


def star_of(n_leaves: int) -> PathGraph:
    """Node 0 joined to each of the others, hop distance."""
    leaves = np.arange(1, n_leaves + 1)
    return graph_of_edges(np.zeros_like(leaves), leaves, np.ones(n_leaves), n=n_leaves + 1)
