"""Compiled inner loops of path distances (extra ``fast``); without it numpy does the same, more slowly.

Every loop adds a path up in the order (distance so far + gamma) + d, so compiled and numpy answers are
the same floats. Importing this file imports numba, which takes about a second: only `products` and
`balls` do so, when they first need it.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from neuromfa.mfa.distance import CountArray
from neuromfa.network import BoolArray, FloatArray, IntArray

MemberArray = npt.NDArray[np.int32]
Kernel = TypeVar("Kernel", bound=Callable[..., object])

# The sums of this many edges are compared in registers before the row they improve is touched.
LANES = 4


def compiled(function: Kernel) -> Kernel:
    """Compile at the first call and keep the machine code on disk, or in memory where none can be written."""
    try:
        return cast(Kernel, njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        return cast(Kernel, njit(nogil=True, error_model="numpy")(function))


@compiled
def min_plus(
    frontier: FloatArray,
    edges: FloatArray,
    nearest: FloatArray,
    gamma: float,
    longest: float,
    out: FloatArray,
    alive: IntArray,
) -> int:
    """Advance distances over one link by a (min,+) product with a cut, two rows at a time.

    Parameters
    ----------
    frontier : shape (n_rows, n_source), distances so far, inf = not reached
    edges : shape (n_source, n_target), inf = no edge; no row longer than `longest`
    nearest : shape (n_source,), the shortest edge of every source
    out : shape (n_rows, n_target) at least; its first rows receive the rows that reach any target
    alive : shape (n_rows,); receives which rows of `frontier` those are

    Returns
    -------
    n_alive : how many there are
    """
    n_rows, n_source = frontier.shape
    within = np.empty(n_source + LANES, np.int64)
    best, other_best = np.empty(edges.shape[1]), np.empty(edges.shape[1])
    count = 0
    for row in range(0, n_rows, 2):
        other = min(row + 1, n_rows - 1)
        n_within = _within_reach(frontier[row], frontier[other], nearest, gamma, longest, within)
        _relax_two_rows(frontier[row], frontier[other], edges, within[:n_within], gamma, best, other_best)
        count = _keep(best, row, longest, out, alive, count)
        if other > row:
            count = _keep(other_best, other, longest, out, alive, count)
    return count


@compiled
def _within_reach(
    row: FloatArray, other: FloatArray, nearest: FloatArray, gamma: float, longest: float, within: IntArray
) -> int:
    """List the sources from which either row can still go on, the last repeated to a multiple of LANES."""
    count = 0
    for v in range(nearest.size):
        closer = row[v] if row[v] < other[v] else other[v]
        within[count] = v
        count += (closer + gamma) + nearest[v] <= longest
    padded = (count + LANES - 1) // LANES * LANES
    for p in range(count, padded):
        within[p] = within[count - 1]
    return padded


@compiled
def _relax_two_rows(
    row: FloatArray,
    other: FloatArray,
    edges: FloatArray,
    within: IntArray,
    gamma: float,
    best: FloatArray,
    other_best: FloatArray,
) -> None:
    """Set best[j] to the least (row[v] + gamma) + edges[v, j], for two rows, so that edges load once."""
    best[:] = np.inf
    other_best[:] = np.inf
    for p in range(0, within.size, LANES):
        v0, v1, v2, v3 = within[p], within[p + 1], within[p + 2], within[p + 3]
        a0, a1, a2, a3 = row[v0] + gamma, row[v1] + gamma, row[v2] + gamma, row[v3] + gamma
        b0, b1, b2, b3 = other[v0] + gamma, other[v1] + gamma, other[v2] + gamma, other[v3] + gamma
        d0, d1, d2, d3 = edges[v0], edges[v1], edges[v2], edges[v3]
        for j in range(best.size):
            e0, e1, e2, e3 = d0[j], d1[j], d2[j], d3[j]
            best[j] = min(min(a0 + e0, min(a1 + e1, best[j])), min(a2 + e2, a3 + e3))
            other_best[j] = min(min(b0 + e0, min(b1 + e1, other_best[j])), min(b2 + e2, b3 + e3))


@compiled
def _keep(best: FloatArray, row: int, longest: float, out: FloatArray, alive: IntArray, count: int) -> int:
    """Append a row, cut at `longest`, where anything of it is left."""
    n_within = 0
    for j in range(best.size):
        n_within += best[j] <= longest
    if n_within == 0:
        return count
    kept = out[count]
    for j in range(best.size):
        kept[j] = best[j] if best[j] <= longest else np.inf
    alive[count] = row
    return count + 1


@compiled
def relay(
    frontier: FloatArray,
    member: IntArray,
    group_start: IntArray,
    target_group: IntArray,
    target_start: IntArray,
    gamma: float,
    hop: float,
    longest: float,
    out: FloatArray,
    alive: IntArray,
) -> int:
    """Advance distances over wiring: the same as `min_plus`, with `hop` on every edge and sources in groups.

    ``member[group_start[g]:group_start[g + 1]]`` are the sources of group g, and
    ``target_group[target_start[j]:target_start[j + 1]]`` the groups wired to target j.
    """
    closest, best = np.empty(group_start.size - 1), np.empty(target_start.size - 1)
    count = 0
    for row in range(frontier.shape[0]):
        _least(frontier[row], member, group_start, closest)
        _least(closest, target_group, target_start, best)
        for j in range(best.size):
            best[j] = (best[j] + gamma) + hop
        count = _keep(best, row, longest, out, alive, count)
    return count


@compiled
def _least(values: FloatArray, chosen: IntArray, start: IntArray, least: FloatArray) -> None:
    """Set least[k] to the smallest of the values chosen for k, inf without any."""
    for k in range(least.size):
        smallest = np.inf
        for p in range(start[k], start[k + 1]):
            smallest = min(smallest, values[chosen[p]])
        least[k] = smallest


@compiled
def count_radii(distances: FloatArray, rows: IntArray, unit: float, counts: CountArray) -> None:
    """Add 1 to ``counts[rows[i], max(1, round(d / unit))]`` for every finite distance d of row i."""
    for i in range(distances.shape[0]):
        histogram = counts[rows[i]]
        for j in range(distances.shape[1]):
            if distances[i, j] < np.inf:
                histogram[max(1, int(np.rint(distances[i, j] / unit)))] += 1


@compiled
def grow_balls(
    sources: IntArray,
    start: IntArray,
    target: IntArray,
    distance: FloatArray,
    gamma: float,
    radius: float,
    sizes: IntArray,
    members: MemberArray,
) -> int:
    """Find, for each source, the nodes of a higher number whose path distance from it is at most `radius`.

    Labels are corrected until none falls any more; the edges out of a node stand shortest first, and its
    list is left at the first edge that ends beyond the radius.

    Parameters
    ----------
    sizes : shape (n_sources,); receives how many members each ball has
    members : receives the members, ball after ball

    Returns
    -------
    total : number of members written
    """
    n = start.size - 1
    best, waiting = np.full(n, np.inf), np.zeros(n, np.bool_)
    queue, seen = np.empty(n + 1, np.int64), np.empty(n, np.int64)
    total = 0
    for i in range(sources.size):
        source = sources[i]
        n_seen = _reach(source, start, target, distance, gamma, radius, best, waiting, queue, seen)
        before = total
        for p in range(n_seen):
            best[seen[p]] = np.inf
            if seen[p] > source:
                members[total] = seen[p]
                total += 1
        sizes[i] = total - before
    return total


@compiled
def _reach(
    source: int,
    start: IntArray,
    target: IntArray,
    distance: FloatArray,
    gamma: float,
    radius: float,
    best: FloatArray,
    waiting: BoolArray,
    queue: IntArray,
    seen: IntArray,
) -> int:
    """Set `best` to distances within `radius` and list the nodes reached; `queue` is a ring of n + 1."""
    best[source], seen[0], queue[0] = 0.0, source, source
    n_seen, head, tail = 1, 0, 1
    while head != tail:
        node = queue[head]
        head = head + 1 if head + 1 < queue.size else 0
        waiting[node] = False
        so_far = best[node] + gamma if node != source else 0.0
        for p in range(start[node], start[node + 1]):
            x = so_far + distance[p]
            if x > radius:
                break
            j = target[p]
            if x < best[j]:
                if best[j] == np.inf:
                    seen[n_seen] = j
                    n_seen += 1
                best[j] = x
                if not waiting[j]:
                    waiting[j] = True
                    queue[tail] = j
                    tail = tail + 1 if tail + 1 < queue.size else 0
    return n_seen
