"""Balls around every node of an undirected graph by path distance: what box covering starts from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuromfa.errors import OptionError
from neuromfa.mfa.paths import PathGraph, relax
from neuromfa.mfa.products import Engine, installed_engine
from neuromfa.network import IntArray

MemberArray = npt.NDArray[np.int32]

# Balls are grown for so many sources at a time that their labels have about this many entries.
CHUNK_ENTRIES = 2**18
MOST_PAIRS = 2**28


@dataclass(frozen=True, eq=False)
class Balls:
    """Who lies within `radius` of whom: a symmetric relation, every node in its own ball.

    The ball of node i is ``member[start[i]:start[i + 1]]``.

    Attributes
    ----------
    start : integer array of shape (n + 1,)
    member : integer array, all balls one after another, each ascending
    radius : path distance up to which a node belongs, included
    """

    start: MemberArray
    member: MemberArray
    radius: float

    @property
    def n(self) -> int:
        """Number of nodes."""
        return self.start.size - 1

    @property
    def sizes(self) -> IntArray:
        """Number of members of every ball, shape (n,)."""
        return np.diff(self.start).astype(np.int64)

    def of(self, node: int) -> MemberArray:
        """Return the members of the ball of one node, ascending."""
        return self.member[self.start[node] : self.start[node + 1]]


def all_balls(graph: PathGraph, *, radius: float, gamma: float, engine: Engine = "auto") -> Balls:
    """Return the balls of all nodes.

    The distance of two nodes is added up from the one with the lower number, so that the relation is
    symmetric even where rounding makes the two directions differ.

    Parameters
    ----------
    graph : undirected
    radius : 0 or more, at most the cut of the graph
    gamma : cost of every hop after the first; 0 for plain sums
    engine : ``numba``, ``numpy`` or ``auto``; the answers are the same

    Raises
    ------
    OptionError : a radius out of these bounds, or balls of more than 2^28 members in all
    """
    if not 0.0 <= radius <= graph.max_distance:
        raise OptionError(
            f"a radius lies between 0 and the cut of the graph, {graph.max_distance:g}: not {radius}"
        )
    grow = _grow_compiled if installed_engine(engine) == "numba" else _grow_by_labels
    width = max(1, CHUNK_ENTRIES // max(1, graph.n))
    sizes, members, total = [np.zeros(1, dtype=np.int64)], [np.empty(0, dtype=np.int32)], 0
    for first in range(0, graph.n, width):
        sources = np.arange(first, min(first + width, graph.n))
        chunk_sizes, chunk = grow(graph, sources, gamma, radius)
        total += 2 * chunk.size
        if total > MOST_PAIRS:
            raise OptionError(
                f"balls of radius {radius:g} hold more than {MOST_PAIRS} nodes: take a smaller radius"
            )
        sizes.append(chunk_sizes)
        members.append(chunk)
    return _mirrored(np.cumsum(np.concatenate(sizes)), np.concatenate(members), radius)


def _grow_compiled(
    graph: PathGraph, sources: IntArray, gamma: float, radius: float
) -> tuple[IntArray, MemberArray]:
    """Return sizes and members of the balls of consecutive sources, only members of a higher number."""
    from neuromfa.mfa import _kernels

    sizes, members = np.empty(sources.size, dtype=np.int64), np.empty(sources.size * graph.n, dtype=np.int32)
    edges = graph.start, graph.target, graph.distance
    total = _kernels.grow_balls(sources, *edges, gamma, radius, sizes, members)
    return sizes, members[:total].copy()


def _grow_by_labels(
    graph: PathGraph, sources: IntArray, gamma: float, radius: float
) -> tuple[IntArray, MemberArray]:
    """Return the same from distances to all nodes."""
    inside = relax(graph, sources, gamma=gamma, longest=radius) < np.inf
    inside &= np.arange(graph.n) > sources[:, np.newaxis]
    return inside.sum(axis=1), np.nonzero(inside)[1].astype(np.int32)


def _mirrored(start: IntArray, member: MemberArray, radius: float) -> Balls:
    """Return the whole relation from the half in which members have a higher number than the centre."""
    from scipy.sparse import csr_array, eye_array  # takes time to load, for those who cover with boxes

    n = start.size - 1
    half = csr_array((np.ones(member.size, dtype=np.bool_), member, start), shape=(n, n))
    whole = half + half.T + eye_array(n, dtype=np.bool_)
    whole.sort_indices()
    return Balls(whole.indptr, whole.indices, radius)
