"""Box covering of an undirected graph (Song, Gallos, Havlin, Makse 2007) and the box dimension d_B.

On hop distance a sampled network is a chain of layers, so N_B says no more than that it has one
dimension: box covering says something on weighted distances only.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from neuromfa.errors import OptionError, TooFewRadii
from neuromfa.mfa.balls import Balls, all_balls
from neuromfa.mfa.exponent import r_squared, slopes
from neuromfa.mfa.paths import PathGraph, correct_labels, tight_edges
from neuromfa.mfa.products import Engine
from neuromfa.network import BoolArray, FloatArray, IntArray

# Distances added up from either end may differ by this share.
ROUNDING = 1e-9

CoverMethod = Literal["memb", "burning", "colouring"]


@dataclass(frozen=True, eq=False)
class BoxCovering:
    """A covering by boxes.

    Attributes
    ----------
    method : how it was found
    radius : r; MEMB covers by balls d <= r, the others by boxes whose nodes are within 2r of each other
    n_boxes : N_B(r)
    box : int64 array of shape (n,), box of every node
    centres : int64 array of shape (n_boxes,), centre of every box under MEMB, else None
    """

    method: CoverMethod
    radius: float
    n_boxes: int
    box: IntArray
    centres: IntArray | None


@dataclass(frozen=True, eq=False)
class BoxDimension:
    """Box counts over radii, and the dimension N_B ~ r^-d_B fitted to them.

    Attributes
    ----------
    radii : float64 array of shape (m,)
    counts : int64 array of shape (m,), N_B
    d_b : minus the least-squares slope of ln N_B on ln r
    r_squared : share of the variance of ln N_B that the line explains, None where N_B is constant
    fit_range : first and last radius of the fit
    """

    radii: FloatArray
    counts: IntArray
    d_b: float
    r_squared: float | None
    fit_range: tuple[float, float]


def cover(
    graph: PathGraph,
    *,
    radius: float,
    gamma: float,
    method: CoverMethod = "memb",
    seed: int | None = None,
    engine: Engine = "auto",
) -> BoxCovering:
    """Cover all nodes by boxes; nodes without a path between them never share one, and N_B(0) = n.

    Parameters
    ----------
    graph : undirected
    radius : r, with boxes of diameter 2r
    gamma : cost of every hop after the first
    method : ``memb`` (maximum excluded mass burning, ties to the lowest number), ``burning`` (compact box
        burning) or ``colouring`` (greedy)
    seed : of the order of the nodes in burning and colouring; None for ascending numbers, in which both give the
        same boxes
    engine : see `all_balls`

    Raises
    ------
    OptionError : an unknown method, or a radius that the graph's cut does not allow
    """
    if method not in get_args(CoverMethod):
        raise OptionError(f"box covering is done by {', '.join(get_args(CoverMethod))}, not by {method!r}")
    if method == "memb":
        centres = excluded_mass_centres(all_balls(graph, radius=radius, gamma=gamma, engine=engine))
        box = nearest_centre(graph, centres, radius=radius, gamma=gamma)
        return BoxCovering(method, radius, centres.size, box, centres)
    balls = all_balls(graph, radius=2.0 * radius, gamma=gamma, engine=engine)
    draw = None if seed is None else np.random.default_rng(seed)
    order = np.arange(graph.n) if draw is None else draw.permutation(graph.n)
    box = burn(balls, order=order, draw=draw) if method == "burning" else colour(balls, order=order)
    return BoxCovering(method, radius, int(box.max(initial=-1)) + 1, box, None)


def excluded_mass_centres(balls: Balls) -> IntArray:
    """Return the centres of MEMB: again and again the node with the most uncovered nodes in its ball.

    Masses only fall, so a mass on the heap is an upper bound and is looked at again only on top of it.
    """
    mass, covered = balls.sizes, np.zeros(balls.n, dtype=np.bool_)
    heap = [(-size, node) for node, size in enumerate(mass.tolist())]
    heapq.heapify(heap)
    centres, left = [], balls.n
    while left:
        bound, node = heap[0]
        if -bound != mass[node]:
            heapq.heapreplace(heap, (-int(mass[node]), node))
            continue
        ball = balls.of(node)
        new = ball[~covered[ball]]
        covered[new] = True
        np.subtract.at(mass, np.concatenate([balls.of(each) for each in new.tolist()]), 1)
        centres.append(node)
        left -= new.size
    return np.array(centres, dtype=np.int64)


def nearest_centre(graph: PathGraph, centres: IntArray, *, radius: float, gamma: float) -> IntArray:
    """Return the box of every node: the place in `centres` of the nearest one, the first of equals.

    All nodes on a shortest path to that centre have it too, so boxes are connected.
    """
    distances = np.full(graph.n, np.inf)
    distances[centres] = 0.0
    correct_labels(distances, centres, graph, gamma=gamma, longest=radius * (1.0 + ROUNDING))
    edges = tight_edges(graph, distances, gamma=gamma)
    tail, head = graph.source[edges], graph.target[edges]
    box = np.full(graph.n, centres.size)
    box[centres] = np.arange(centres.size)
    moved = True
    while moved:
        before = box.copy()
        np.minimum.at(box, head, before[tail])
        moved = not np.array_equal(before, box)
    return box


def burn(balls: Balls, *, order: IntArray, draw: np.random.Generator | None = None) -> IntArray:
    """Return boxes by compact box burning: a box takes candidates one by one, and each rules out those far from it.

    Parameters
    ----------
    balls : of the box diameter, 2r
    order : a permutation of the nodes, in which candidates are taken
    draw : None keeps to the order for every box, which gives the boxes of greedy colouring in that order; a generator
        draws a new order for every box, as the method was published
    """
    box, near = np.full(balls.n, -1), np.zeros(balls.n, dtype=np.bool_)
    n_boxes, left = 0, order
    while left.size:
        candidates = left if draw is None else draw.permutation(left)
        while candidates.size:
            box[candidates[0]] = n_boxes
            near[:] = False
            near[balls.of(candidates[0])] = True
            candidates = candidates[1:][near[candidates[1:]]]
        n_boxes, left = n_boxes + 1, left[box[left] < 0]
    return box


def colour(balls: Balls, *, order: IntArray) -> IntArray:
    """Return boxes by greedy colouring: each node takes the first box all of whose nodes are in its ball.

    Parameters
    ----------
    balls : of the box diameter, 2r
    order : a permutation of the nodes
    """
    box, sizes, n_boxes = np.full(balls.n, -1), np.zeros(balls.n, dtype=np.int64), 0
    for node in order.tolist():
        near = box[balls.of(node)]
        boxes, counts = np.unique(near[near >= 0], return_counts=True)
        whole = boxes[counts == sizes[boxes]]
        box[node] = whole[0] if whole.size else n_boxes
        n_boxes += not whole.size
        sizes[box[node]] += 1
    return box


def box_dimension(
    graph: PathGraph,
    radii: Sequence[float],
    *,
    gamma: float,
    method: CoverMethod = "memb",
    fit_range: tuple[float, float] | None = None,
    seed: int | None = None,
    engine: Engine = "auto",
) -> BoxDimension:
    """Return box counts at the radii and d_B from the slope of ln N_B on ln r.

    Parameters
    ----------
    radii : ascending; options of the covering as in `cover`
    fit_range : first and last radius of the fit, included; None takes the radii at which some box holds
        several nodes and some component needs several boxes

    Raises
    ------
    TooFewRadii : fewer than two radii to fit
    """
    r = np.asarray(radii, dtype=np.float64)
    coverings = [
        cover(graph, radius=x, gamma=gamma, method=method, seed=seed, engine=engine) for x in r.tolist()
    ]
    counts = np.array([covering.n_boxes for covering in coverings], dtype=np.int64)
    fitted = r[_in_fit(r, counts, graph, fit_range)]
    if fitted.size < 2:
        raise TooFewRadii(
            f"{fitted.size} of {r.size} radii can be fitted for d_B and a slope needs two: give more radii "
            "between the shortest edge and the diameter, or a wider fit_range"
        )
    log_n = np.log(counts[np.isin(r, fitted)])[np.newaxis]
    d_b = -float(slopes(log_n, radii=fitted)[0])
    return BoxDimension(
        r, counts, d_b, r_squared(log_n, radii=fitted)[0], (float(fitted[0]), float(fitted[-1]))
    )


def _in_fit(
    radii: FloatArray, counts: IntArray, graph: PathGraph, fit_range: tuple[float, float] | None
) -> BoolArray:
    if fit_range is not None:
        inside: BoolArray = (radii > 0.0) & (radii >= fit_range[0]) & (radii <= fit_range[1])
        return inside
    from scipy.sparse import csr_array  # both take time to load
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(graph.target.size, dtype=np.bool_)
    matrix = csr_array((ones, graph.target, graph.start), shape=(graph.n, graph.n))
    n_components = connected_components(matrix, directed=False, return_labels=False)
    between: BoolArray = (counts > n_components) & (counts < graph.n)
    return between
