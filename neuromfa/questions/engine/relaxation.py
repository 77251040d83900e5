"""Path distances by Cypher: the host asks for one relaxation after another, the server follows the edges.

The floats are those of `neuromfa.mfa.paths`: (distance so far + gamma) + d, and of all sums the smallest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from neuromfa.network import BoolArray, FloatArray, IntArray
from neuromfa.questions.engine.subjects import StoredSample

# A query follows about so many edges, so that each is short and none needs much of the server's memory.
EDGES_A_QUERY = 200_000


def relax_layers(
    sample: StoredSample,
    source: int,
    *,
    layer: int,
    last: int,
    gamma: float,
    longest: float,
    query: str = "relax",
) -> dict[int, float]:
    """Return path distances from one neuron to those of the layers up to `last`, by running numbers.

    Parameters
    ----------
    source, layer : the neuron and its layer
    longest : the cut, gamma included
    query : ``relax``, or ``relax_wiring`` for paths of wiring alone
    """
    distances, frontier, toll = {source: 0.0}, {source: 0.0}, 0.0
    for k in range(layer, last):
        so_far = {number: distance + toll for number, distance in frontier.items()}
        frontier = _next_layer(sample, query, so_far, layer=k, longest=longest)
        distances |= frontier
        if not frontier:
            break
        toll = gamma
    return distances


def _next_layer(
    sample: StoredSample, query: str, so_far: Mapping[int, float], *, layer: int, longest: float
) -> dict[int, float]:
    shape, first = sample.manifest.layout[layer], sample.manifest.first_key
    frontier = [[first + number, distance] for number, distance in so_far.items()]
    reached: dict[int, float] = {}
    for part in parts(frontier, shape.edges / max(shape.size, 1)):
        [row] = sample.rows(query, frontier=part, longest=longest)
        for key, distance in zip(row["key"], row["distance"], strict=True):
            reached[key - first] = min(distance, reached.get(key - first, np.inf))
    return reached


def parts(frontier: list[Any], degree: float) -> Iterator[list[Any]]:
    """Yield a frontier in parts from which a query follows about `EDGES_A_QUERY` edges."""
    size = max(1, int(EDGES_A_QUERY / max(degree, 1.0)))
    return (frontier[first : first + size] for first in range(0, len(frontier), size))


def pair_distances(
    sample: StoredSample, *, first: int, last: int, gamma: float, longest: float
) -> FloatArray:
    """Return undirected path distances between all neurons of some layers, on paths within them.

    Returns
    -------
    distances : float64 array of shape (n, n), row = source, inf beyond `longest`
    """
    start, n, degree = _size(sample, first, last)
    labels = np.full((n, n), np.inf)
    np.fill_diagonal(labels, 0.0)
    fallen, toll = np.eye(n, dtype=np.bool_), 0.0
    while fallen.any():
        rows, nodes = np.nonzero(fallen)
        ends = zip(rows.tolist(), (nodes + start).tolist(), (labels[fallen] + toll).tolist(), strict=True)
        fallen, toll = np.zeros_like(fallen), gamma
        for part in parts([list(end) for end in ends], degree):
            [found] = sample.rows("relax_pairs", frontier=part, first=first, last=last, longest=longest)
            at = np.array(found["source"], dtype=np.int64), np.array(found["key"], dtype=np.int64) - start
            trial = np.array(found["distance"], dtype=np.float64)
            fallen[at] |= trial < labels[at]
            labels[at] = np.minimum(labels[at], trial)
    return labels


def nearest_centres(
    sample: StoredSample, centres: IntArray, *, first: int, last: int, gamma: float, longest: float
) -> IntArray:
    """Return for every neuron of some layers the place in `centres` of the nearest, the first of equals.

    As `neuromfa.mfa.boxes.nearest_centre`: distances first, then boxes pass along edges of shortest paths.
    """
    relaxation = _BoxRelaxation(sample, first, last, longest)
    n = relaxation.n
    labels, boxes = np.full(n, np.inf), np.full(n, centres.size)
    labels[centres], boxes[centres] = 0.0, np.arange(centres.size)
    fallen = labels == 0.0
    toll = np.where(fallen, 0.0, gamma)
    while fallen.any():
        at, trial, _ = relaxation.step(fallen, labels + toll, boxes)
        before = labels.copy()
        np.minimum.at(labels, at, trial)
        fallen = labels < before
    fallen = labels < np.inf
    while fallen.any():
        at, trial, box = relaxation.step(fallen, labels + toll, boxes)
        tight, before = trial == labels[at], boxes.copy()
        np.minimum.at(boxes, at[tight], box[tight])
        fallen = boxes < before
    return boxes


class _BoxRelaxation:
    """One relaxation after another that carries boxes along, over the edges within some layers."""

    def __init__(self, sample: StoredSample, first: int, last: int, longest: float) -> None:
        self._sample = sample
        self._limits = {"first": first, "last": last, "longest": longest}
        self._start, self.n, self._degree = _size(sample, first, last)

    def step(
        self, fallen: BoolArray, so_far: FloatArray, boxes: IntArray
    ) -> tuple[IntArray, FloatArray, IntArray]:
        """Return who was reached from the fallen, how far that is, and the lowest box of the nearest."""
        nodes = np.flatnonzero(fallen)
        columns = (nodes + self._start, so_far[nodes], boxes[nodes])
        frontier = [list(line) for line in zip(*(column.tolist() for column in columns), strict=True)]
        rows = [
            self._sample.rows("relax_boxes", frontier=part, **self._limits)[0]
            for part in parts(frontier, self._degree)
        ]
        key, distance, box = (
            [value for row in rows for value in row[name]] for name in ("key", "distance", "box")
        )
        return (
            np.array(key, dtype=np.int64) - self._start,
            np.array(distance, dtype=np.float64),
            np.array(box, dtype=np.int64),
        )


def _size(sample: StoredSample, first: int, last: int) -> tuple[int, int, float]:
    """Return the first key of some layers, their number of neurons, and the edges at a neuron both ways."""
    layout, offsets = sample.manifest.layout, sample.offsets
    n = int(offsets[last + 1] - offsets[first])
    edges = sum(shape.edges for shape in layout[first:last])
    return sample.manifest.first_key + int(offsets[first]), n, 2.0 * edges / max(n, 1)
